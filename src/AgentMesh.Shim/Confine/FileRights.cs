namespace AgentMesh.Shim.Confine;

/// <summary>What Landlock tells apart, by its bits (linux/landlock.h).</summary>
[Flags]
internal enum FileRights : ulong
{
    None = 0,
    Execute = 1 << 0,
    WriteFile = 1 << 1,
    ReadFile = 1 << 2,
    ReadDirectory = 1 << 3,
    RemoveDirectory = 1 << 4,
    RemoveFile = 1 << 5,
    MakeCharacterDevice = 1 << 6,
    MakeDirectory = 1 << 7,
    MakeFile = 1 << 8,
    MakeSocket = 1 << 9,
    MakePipe = 1 << 10,
    MakeBlockDevice = 1 << 11,
    MakeLink = 1 << 12,

    /// <summary>Moving and linking between directories, from ABI 2; before, nothing may.</summary>
    Refer = 1 << 13,

    /// <summary>From ABI 3.</summary>
    Truncate = 1 << 14,

    /// <summary>Control calls of devices, from ABI 5.</summary>
    ControlDevice = 1 << 15,
}

/// <summary>Which rights there are, and who has them.</summary>
internal static class Rights
{
    /// <summary>The newest ABI that this code knows the meaning of.</summary>
    private const int KnownAbi = 6;

    private const FileRights OfFiles = FileRights.Execute | FileRights.WriteFile | FileRights.ReadFile | FileRights.Truncate | FileRights.ControlDevice;

    /// <summary>Everything that the kernel can refuse is refused where no rule allows it.</summary>
    public static FileRights Handled(int abi) => (FileRights)((1ul << (abi switch { >= 5 => 16, >= 3 => 15, 2 => 14, _ => 13 })) - 1);

    /// <summary>Signals to processes outside, and their sockets without a path: from ABI 6.</summary>
    public static ulong Scoped(int abi) => abi >= KnownAbi ? 3u : 0;

    /// <returns>The bytes of <c>landlock_ruleset_attr</c> that a kernel with this ABI knows.</returns>
    public static int AttributeBytes(int abi) => abi switch { >= 6 => 24, >= 4 => 16, _ => 8 };

    /// <summary>Devices are never made: they would be those of the machine. Nor are sockets with a path.</summary>
    public static FileRights Of(PlaceKind kind) => kind switch
    {
        PlaceKind.Read => FileRights.ReadFile | FileRights.ReadDirectory,
        PlaceKind.Execute => FileRights.ReadFile | FileRights.ReadDirectory | FileRights.Execute,
        PlaceKind.Write => FileRights.ReadFile | FileRights.ReadDirectory | FileRights.Execute | FileRights.WriteFile | FileRights.RemoveDirectory | FileRights.RemoveFile
            | FileRights.MakeDirectory | FileRights.MakeFile | FileRights.MakePipe | FileRights.MakeLink | FileRights.Refer | FileRights.Truncate | FileRights.ControlDevice,

        // No links and no pipes: the node reads what is there.
        PlaceKind.Reports => FileRights.ReadFile | FileRights.ReadDirectory | FileRights.WriteFile | FileRights.RemoveFile | FileRights.MakeFile | FileRights.Refer | FileRights.Truncate,
        PlaceKind.Device => FileRights.ReadFile | FileRights.WriteFile | FileRights.ControlDevice,
        _ => FileRights.None,
    };

    /// <summary>Those of a file: the kernel does not take the others for one.</summary>
    public static FileRights OfFile(FileRights rights) => rights & OfFiles;
}
