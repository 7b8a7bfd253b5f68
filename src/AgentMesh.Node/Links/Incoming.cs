namespace AgentMesh.Node.Links;

/// <summary>Whose connections this device takes.</summary>
public enum Incoming
{
    /// <summary>Those of the devices of the mesh, and of who has an invitation.</summary>
    All = 0,

    /// <summary>Those of the devices of the mesh.</summary>
    Known = 1,

    /// <summary>Nobody's: it connects by itself or not at all.</summary>
    None = 2,
}
