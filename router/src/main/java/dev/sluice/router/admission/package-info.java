/** Between a request and its worker: limits of tenants, the queue, what can still be in time. */
@NullMarked
package dev.sluice.router.admission;

import org.jspecify.annotations.NullMarked;
