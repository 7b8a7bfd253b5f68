using AgentMesh.Errors;
using AgentMesh.Mesh.Turns;

namespace AgentMesh.Mesh.Groups;

/// <summary><c>group/HOME/NAME</c>: entity id and persistence id of a group of jobs. It counts the jobs of its home. <c>default</c> is none.</summary>
public readonly record struct GroupId
{
    public const string Prefix = "group/";

    /// <exception cref="MeshException">AM0392: not a name for a group.</exception>
    public GroupId(HomeId home, string name)
    {
        Invariant.Check(!home.IsNone);
        GroupName.Check(name);
        Home = home;
        Name = name;
    }

    public HomeId Home { get; }

    public string Name { get; }

    public bool IsNone => Home.IsNone;

    public static bool TryParse(string? text, out GroupId id)
    {
        id = default;
        if (!HomePath.TryParse(text, Prefix, out HomeId home, out string? name) || !GroupName.IsValid(name))
        {
            return false;
        }

        id = new GroupId(home, name);
        return true;
    }

    public override string ToString() => IsNone ? "(none)" : $"{Prefix}{Home}/{Name}";
}
