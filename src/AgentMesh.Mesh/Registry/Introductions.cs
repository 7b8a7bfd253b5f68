namespace AgentMesh.Mesh.Registry;

/// <summary>Whose admissions of further devices count on this one, beside its own.</summary>
public enum Introductions
{
    /// <summary>Those of every device that is in.</summary>
    Everyone,

    /// <summary>Those of devices that have the grant <see cref="Grants.Grant.Introduce"/> here, and of each the first <see cref="DeviceRegistry.IntroducedMax"/>.</summary>
    Granted,

    /// <summary><see cref="Granted"/> in a registry that began with that, <see cref="Everyone"/> in one that an older version began.</summary>
    AsBegun,
}
