package dev.sluice.app.keys;

import picocli.CommandLine.Command;

/** {@code sluice keys}. */
@Command(
    name = "keys",
    description = "Makes, lists and revokes API keys (docs/security.md).",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {KeysCreateCommand.class, KeysListCommand.class, KeysRevokeCommand.class})
public final class KeysCommand {}
