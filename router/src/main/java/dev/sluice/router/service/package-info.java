/** The router's gRPC services and its health. */
@NullMarked
package dev.sluice.router.service;

import org.jspecify.annotations.NullMarked;
