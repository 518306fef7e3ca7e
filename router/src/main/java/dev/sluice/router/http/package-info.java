/**
 * OpenAI's HTTP API in front of the same pipeline as gRPC: completions, chat completions, models,
 * and what operators ask over HTTP. Starting point: {@code HttpEdge}.
 */
@NullMarked
package dev.sluice.router.http;

import org.jspecify.annotations.NullMarked;
