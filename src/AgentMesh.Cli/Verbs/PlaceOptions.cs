using System.CommandLine;
using AgentMesh.Errors;

namespace AgentMesh.Cli.Verbs;

/// <summary>Where a program begins and with which variables; the same for every verb that starts one.</summary>
internal sealed class PlaceOptions
{
    private readonly Option<string[]> _variables = new("--env") { Description = "NAME=VALUE: a variable for the program; NAME alone passes on the one that is set here; may be repeated." };
    private readonly Option<string?> _directory = new("--dir") { Description = "Where the program begins on its device: a whole path, one below ~/, or one that counts from where programs begin otherwise." };

    public Symbol[] All => [_variables, _directory];

    public string? Directory(ParseResult parsed) => parsed.GetValue(_directory);

    /// <returns>Null for none.</returns>
    /// <exception cref="MeshException">AM0222: a variable that is to be passed on is not set here, or one is given twice.</exception>
    public IReadOnlyDictionary<string, string?>? Variables(ParseResult parsed) => Read(parsed.GetValue(_variables) ?? [], Environment.GetEnvironmentVariable);

    internal static IReadOnlyDictionary<string, string?>? Read(IReadOnlyCollection<string> texts, Func<string, string?> here)
    {
        var variables = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (string text in texts)
        {
            string[] parts = text.Split('=', 2);
            string value = parts.Length > 1 ? parts[1] : here(parts[0]) ?? throw new MeshException(CliErrors.Usage, $"the variable '{parts[0]}' is not set here", $"write its value: --env {parts[0]}=VALUE");
            if (!variables.TryAdd(parts[0], value))
            {
                throw new MeshException(CliErrors.Usage, $"the variable '{parts[0]}' is given twice", "name each once");
            }
        }

        return variables.Count > 0 ? variables : null;
    }
}
