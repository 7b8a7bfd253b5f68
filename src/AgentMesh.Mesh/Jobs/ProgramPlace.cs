using System.Collections.Immutable;
using System.Text;
using AgentMesh.Errors;

namespace AgentMesh.Mesh.Jobs;

/// <summary>Where a program begins and which variables it gets, as callers ask for it.</summary>
/// <remarks>A directory is a whole path, or counts from the directory in which programs begin otherwise; <c>~/</c> is the home of the node's user there.</remarks>
public static class ProgramPlace
{
    /// <summary>Of a directory and of the value of a variable, in UTF-8.</summary>
    public const int BytesMax = 4_096;

    /// <summary>Names and values together, in UTF-8: they travel in one message.</summary>
    public const int VariablesBytesMax = 32 * 1024;

    /// <summary>Begins the names of the variables that a program is told of its job.</summary>
    public const string OwnVariables = "AGENTMESH_";

    /// <summary>Whether a caller may set the variable.</summary>
    public static bool IsSettable(string name) => JobCommand.IsVariable(name) && !name.StartsWith(OwnVariables, StringComparison.Ordinal);

    /// <param name="hasFiles">It has artifacts or inputs, and begins in a directory of its own.</param>
    /// <exception cref="MeshException">AM0369: a name, a value or the directory is none, there are too many, or it is no program.</exception>
    public static JobCommand Apply(JobCommand command, IReadOnlyDictionary<string, string?>? variables, string? directory, bool hasFiles = false)
    {
        if (variables is not { Count: > 0 } && directory is null)
        {
            return command;
        }

        if (!command.IsProgram)
        {
            throw Wrong("variables and a directory are for programs only", "write: agentmesh run @peer --env NAME=VALUE --dir PATH -- PROGRAM ARGUMENTS");
        }

        if (variables?.Keys.FirstOrDefault(name => !IsSettable(name)) is { } unknown)
        {
            throw Wrong($"'{unknown}' is no name of a variable", $"it has letters, digits and '_', does not begin with a digit, and not with {OwnVariables}");
        }

        if (variables?.FirstOrDefault(pair => pair.Value is null || !IsText(pair.Value)) is { Key: { } wrong })
        {
            throw Wrong($"the value of '{wrong}' is longer than {BytesMax} bytes, or no text", "put long values into a file that the program reads");
        }

        if (variables?.Count > JobCommand.EnvironmentMax || variables?.Sum(pair => Encoding.UTF8.GetByteCount(pair.Key) + Encoding.UTF8.GetByteCount(pair.Value!)) > VariablesBytesMax)
        {
            throw Wrong($"{variables.Count} variables are too many or too long: {JobCommand.EnvironmentMax} with {VariablesBytesMax} bytes are the most", "put them into a file that the program reads");
        }

        if (directory is not null && (directory.Length == 0 || !IsText(directory)))
        {
            throw Wrong("that is no directory", $"a directory is a path of 1 to {BytesMax} bytes");
        }

        if (directory is not null && hasFiles)
        {
            throw Wrong("a program with artifacts or inputs begins in a directory of its own", "name no directory, or let the program go there itself");
        }

        return command with
        {
            Environment = variables?.ToImmutableSortedDictionary(pair => pair.Key, pair => pair.Value!, StringComparer.Ordinal) ?? command.Environment,
            Directory = directory,
        };
    }

    private static bool IsText(string text) => Encoding.UTF8.GetByteCount(text) <= BytesMax && !text.Contains('\0', StringComparison.Ordinal);

    private static MeshException Wrong(string what, string next) => new(MeshErrors.BadProgramPlace, what, next);
}
