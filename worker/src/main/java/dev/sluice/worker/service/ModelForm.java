package dev.sluice.worker.service;

/** What an engine takes as a prompt and gives as output. */
public enum ModelForm {
  /** Token ids. */
  TOKENS,
  /** Text: the engine tokenizes by itself. */
  TEXT
}
