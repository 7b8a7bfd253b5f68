using AgentMesh.Errors;

namespace AgentMesh.Mesh.Commands;

/// <summary>A line as typed: for whom, and what.</summary>
/// <param name="Selector">Null for this device.</param>
/// <param name="Command">Never empty.</param>
public sealed record CommandLine(string? Selector, string Command)
{
    public const string Everybody = "all";

    /// <summary>More bytes than this do not travel in one message.</summary>
    private const int CharactersMax = 64 * 1024;

    /// <summary><c>@SELECTOR COMMAND</c>, or a command for this device.</summary>
    /// <exception cref="MeshException">AM0301: there is no command, or no name after @. AM0319: too long.</exception>
    public static CommandLine Parse(string line)
    {
        if (line.Length > CharactersMax)
        {
            throw new MeshException(MeshErrors.TooLarge, $"the command has {line.Length} characters; {CharactersMax} are the most", "put long input into a file that the program reads");
        }

        int start = line.Length - line.TrimStart().Length;
        string text = line.TrimEnd();
        if (start == line.Length)
        {
            throw CommandSyntax.Error(line, 0, "there is no command", "write a command, for example 'calc 1+2' or '@gpu calc 1+2'");
        }

        if (text[start] != '@')
        {
            return new CommandLine(null, text[start..]);
        }

        int end = start + 1;
        while (end < text.Length && !char.IsWhiteSpace(text[end]))
        {
            end++;
        }

        string selector = text[(start + 1)..end], command = text[end..].Trim();
        if (selector.Length == 0)
        {
            throw CommandSyntax.Error(text, end, "a device is expected after '@'", "write its name, its number in 'agentmesh peers', the beginning of its id, or '@all'");
        }

        if (selector[^1] == ',')
        {
            throw CommandSyntax.Error(text, end, "a device is expected after ','", "write the devices without spaces between: @a,@b", MeshErrors.SelectorSyntax);
        }

        return command.Length == 0
            ? throw CommandSyntax.Error(text, text.Length, "there is no command", $"write what {selector} should do, for example '@{selector} status'")
            : new CommandLine(selector, command);
    }
}
