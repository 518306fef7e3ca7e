/** Who may connect and what they may do: TLS, keys, tokens, identities. */
@NullMarked
package dev.sluice.common.security;

import org.jspecify.annotations.NullMarked;
