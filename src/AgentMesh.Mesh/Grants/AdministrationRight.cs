namespace AgentMesh.Mesh.Grants;

/// <summary>How much of the control API of a device another one may use, the least first.</summary>
public enum AdministrationRight
{
    None = 0,

    /// <summary>What shows something and changes nothing: <see cref="Grant.AdminRead"/>.</summary>
    Read = 1,

    /// <summary>What the owner of the device may: <see cref="Grant.Admin"/>.</summary>
    All = 2,
}

public static class AdministrationRights
{
    /// <param name="grants">Of one device.</param>
    public static AdministrationRight Of(IReadOnlySet<string> grants) =>
        grants.Contains(Grant.Admin) ? AdministrationRight.All : grants.Contains(Grant.AdminRead) ? AdministrationRight.Read : AdministrationRight.None;
}
