/** Lists linked through their own elements. Starting point: {@code IntrusiveList}. */
@NullMarked
package dev.sluice.common.list;

import org.jspecify.annotations.NullMarked;
