namespace AgentMesh.Node.Administration;

/// <summary>Codes of the administration of one device from another. Each has a page in <c>docs/errors</c>.</summary>
public static class AdministrationErrors
{
    /// <summary>The device has not granted it.</summary>
    public const string NotGranted = "AM0179";

    /// <summary>The node of the device knows no administration from afar.</summary>
    public const string TooOld = "AM0189";

    /// <summary>The verb or request is for the device itself.</summary>
    public const string NotFromAfar = "AM0190";

    /// <summary>The device serves as many streams of this one as it does at a time.</summary>
    public const string TooManyStreams = "AM0191";

    /// <summary>The way to the device was lost in the middle of an answer, or it did not say whether it lets this one in.</summary>
    public const string WayLost = "AM0192";

    /// <summary>The device that was named is this one.</summary>
    public const string ThisDevice = "AM0193";
}
