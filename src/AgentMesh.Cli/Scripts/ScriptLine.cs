namespace AgentMesh.Cli.Scripts;

internal enum ScriptLineKind
{
    /// <summary>What the prompt takes.</summary>
    Command,

    /// <summary><c>name = COMMAND</c>: what it writes to stdout is kept, without the line end.</summary>
    Keep,

    /// <summary><c>name := TEXT</c>.</summary>
    Text,

    /// <summary><c>set -e</c>: the first line that fails ends the script. So it begins.</summary>
    StopAtFailure,

    /// <summary><c>set +e</c>.</summary>
    GoOnAfterFailure,
}

/// <param name="Number">Where it begins, from 1.</param>
/// <param name="Text">The command, or the text, without the name; variables not yet replaced.</param>
/// <param name="Name">What it is kept as; null for nothing.</param>
internal sealed record ScriptLine(int Number, ScriptLineKind Kind, string Text, string? Name = null)
{
    public static ScriptLine Read(int number, string text)
    {
        switch (text)
        {
            case "set -e":
                return new ScriptLine(number, ScriptLineKind.StopAtFailure, text);
            case "set +e":
                return new ScriptLine(number, ScriptLineKind.GoOnAfterFailure, text);
        }

        int equals = text.IndexOf('=', StringComparison.Ordinal);
        bool isText = equals > 0 && text[equals - 1] == ':';
        string name = equals < 0 ? "" : text[..(isText ? equals - 1 : equals)].Trim();
        return Reference.IsName(name)
            ? new ScriptLine(number, isText ? ScriptLineKind.Text : ScriptLineKind.Keep, text[(equals + 1)..].Trim(), name)
            : new ScriptLine(number, ScriptLineKind.Command, text);
    }
}
