using System.Diagnostics.CodeAnalysis;
using AgentMesh.Errors;

namespace AgentMesh.Workers.Handlers;

/// <summary>The commands of this device by name. Built once at start, then read only.</summary>
public sealed class HandlerRegistry
{
    private readonly Dictionary<string, ICommandHandler> _byName = new(StringComparer.Ordinal);

    public IEnumerable<ICommandHandler> All => _byName.Values.OrderBy(handler => handler.Name, StringComparer.Ordinal);

    /// <exception cref="MeshException">AM0604: the name is taken, or is no name.</exception>
    public void Add(ICommandHandler handler)
    {
        string name = handler.Name;
        if (name.Length == 0 || name != name.Trim().ToLowerInvariant() || name.Split(' ').Length > 2 || name.Contains("  ", StringComparison.Ordinal))
        {
            throw new MeshException(WorkerErrors.Arguments, $"'{name}' cannot be the name of a command", "use one lower-case word, or two with one space");
        }

        if (!_byName.TryAdd(name, handler))
        {
            throw new MeshException(WorkerErrors.Arguments, $"there are two commands '{name}'", "remove one of the plug-ins");
        }
    }

    /// <summary>The longest name that begins the line wins: <c>system status</c> before <c>system</c>.</summary>
    public bool TryFind(string line, [NotNullWhen(true)] out ICommandHandler? handler, out string arguments)
    {
        string[] words = line.Split(' ', 3, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        for (int count = Math.Min(2, words.Length); count > 0; count--)
        {
            if (_byName.TryGetValue(string.Join(' ', words[..count]).ToLowerInvariant(), out handler))
            {
                arguments = AfterWords(line, count);
                return true;
            }
        }

        handler = null;
        arguments = "";
        return false;
    }

    /// <summary>The error for a line that no handler takes, with the nearest names.</summary>
    public MeshException Unknown(string line, string deviceName)
    {
        string word = line.Split(' ', 2)[0];
        return new MeshException(
            WorkerErrors.UnknownCommand,
            $"{deviceName} has no command '{word}'",
            $"it has: {string.Join(", ", All.Select(handler => handler.Name))}, run; 'help' explains them, 'run -- {word}' starts a program of that name");
    }

    private static string AfterWords(string line, int count)
    {
        ReadOnlySpan<char> rest = line.AsSpan().TrimStart();
        for (int i = 0; i < count; i++)
        {
            int space = rest.IndexOf(' ');
            rest = space < 0 ? [] : rest[space..].TrimStart();
        }

        return rest.TrimEnd().ToString();
    }
}
