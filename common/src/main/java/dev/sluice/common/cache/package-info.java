/** What routers and workers agree on about cached prefixes. */
@NullMarked
package dev.sluice.common.cache;

import org.jspecify.annotations.NullMarked;
