@NullMarked
package dev.sluice.common.template;

import org.jspecify.annotations.NullMarked;
