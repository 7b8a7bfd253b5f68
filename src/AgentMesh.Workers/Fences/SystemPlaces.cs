using AgentMesh.Shim.Confine;

namespace AgentMesh.Workers.Fences;

/// <summary>What every program may reach: the system, as every user of the machine may read it, and devices that keep nothing.</summary>
internal static class SystemPlaces
{
    /// <summary>Not /home, /root, /tmp, /var, /run and what is mounted elsewhere.</summary>
    private static readonly string[] s_programs = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/nix/store", "/gnu/store", "/snap"];

    /// <summary>Of other processes /proc shows what it shows to other users: Landlock counts for it as for a debugger. /etc/resolv.conf is a link into the last three.</summary>
    private static readonly string[] s_readable = ["/proc", "/sys", "/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager/resolv.conf"];

    /// <summary>The terminal is the one that the program has itself; those of others are in /dev/pts.</summary>
    private static readonly string[] s_devices = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"];

    public static IEnumerable<Place> All =>
    [
        .. s_programs.Select(path => new Place(PlaceKind.Execute, path)),
        .. s_readable.Select(path => new Place(PlaceKind.Read, path)),
        .. s_devices.Select(path => new Place(PlaceKind.Device, path)),
    ];
}
