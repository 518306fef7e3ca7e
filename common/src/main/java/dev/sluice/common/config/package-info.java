/** Configuration: a tree of records filled from defaults, a YAML file, environment and flags. */
@NullMarked
package dev.sluice.common.config;

import org.jspecify.annotations.NullMarked;
