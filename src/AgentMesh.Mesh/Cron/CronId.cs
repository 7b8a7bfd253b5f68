using System.Diagnostics.CodeAnalysis;
using AgentMesh.Errors;

namespace AgentMesh.Mesh.Cron;

/// <summary><c>cron/HOME/NAME</c>: entity id and persistence id of a schedule. The home is the device that keeps it and fires it. <c>default</c> is none.</summary>
public readonly record struct CronId
{
    public const string Prefix = "cron/";

    public const int NameLengthMax = 63;

    /// <exception cref="MeshException">AM0344: not a name for a schedule.</exception>
    public CronId(HomeId home, string name)
    {
        Invariant.Check(!home.IsNone);
        Home = home;
        Name = IsName(name) ? name : throw new MeshException(MeshErrors.BadCronName, $"'{name}' is not a name for a schedule", "a name has 1 to 63 letters, digits, '-', '_' or '.', and begins with a letter or digit");
    }

    public HomeId Home { get; }

    public string Name { get; }

    public bool IsNone => Home.IsNone;

    public static bool TryParse([NotNullWhen(true)] string? text, out CronId id)
    {
        id = default;
        if (!HomePath.TryParse(text, Prefix, out HomeId home, out string? name) || !IsName(name))
        {
            return false;
        }

        id = new CronId(home, name);
        return true;
    }

    public override string ToString() => IsNone ? "(none)" : $"{Prefix}{Home}/{Name}";

    private static bool IsName(string name) =>
        name.Length is > 0 and <= NameLengthMax && char.IsAsciiLetterOrDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
}
