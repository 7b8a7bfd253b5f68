namespace Simulation.World;

/// <summary>What may happen to a home and its devices.</summary>
[Flags]
internal enum SimFaults
{
    None = 0,

    /// <summary>The home's process is killed between any two messages.</summary>
    HomeKilled = 1,

    /// <summary>It is killed at the moment at which something is on disk, and nobody knows of it yet.</summary>
    KilledAtCommit = 2,
    DeviceKilled = 4,
    LineCut = 8,

    /// <summary>The journal refuses writes, or stores them and says that it failed, for up to 12 s.</summary>
    DiskTrouble = 16,

    /// <summary>It refuses for 10 s, is slow for 10 s and then loses answers.</summary>
    DiskSequence = 32,
    ClockSet = 64,

    /// <summary>Messages get lost on the lines.</summary>
    Loss = 128,

    /// <summary>The home's process stands still for up to a minute.</summary>
    HomeStopped = 256,

    All = HomeKilled | DeviceKilled | LineCut | DiskTrouble | ClockSet | Loss,
}
