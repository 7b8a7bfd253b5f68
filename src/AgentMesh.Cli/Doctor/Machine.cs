using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace AgentMesh.Cli.Doctor;

/// <summary>Asks the operating system. What it cannot tell is null or empty.</summary>
internal static partial class Machine
{
    private const int Flushes = 20;
    private const int FlushesMin = 3;
    private static readonly TimeSpan FlushingMax = TimeSpan.FromSeconds(5);

    public static DirectoryFacts Directory(string path)
    {
        if (!System.IO.Directory.Exists(path))
        {
            return new DirectoryFacts(path, Exists: false, null, null);
        }

        uint? owner = Owner(path);
        return new DirectoryFacts(path, Exists: true, Mode(path), owner is null ? null : owner == EffectiveUser());
    }

    /// <summary>Null where there is no such file or the system has no modes.</summary>
    public static UnixFileMode? Mode(string path)
    {
        try
        {
            return OperatingSystem.IsWindows() || !Path.Exists(path) ? null : File.GetUnixFileMode(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>What a user without privileges may still write, at the path or the nearest directory above it that is there.</summary>
    public static long? FreeBytes(string path)
    {
        string? there = path;
        while (there is not null && !System.IO.Directory.Exists(there))
        {
            there = Path.GetDirectoryName(there);
        }

        try
        {
            return there is null ? null : new DriveInfo(there).AvailableFreeSpace;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>Appends to a small file and flushes it as the journal does, again and again; the file goes afterwards.</summary>
    /// <exception cref="IOException">It cannot be written or flushed.</exception>
    /// <exception cref="UnauthorizedAccessException">Nothing can be written there.</exception>
    public static IReadOnlyList<TimeSpan> FlushTimes(string directory, TimeProvider time)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0, Options = FileOptions.DeleteOnClose };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var file = new FileStream(Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $".doctor-{Environment.ProcessId}.tmp")), options);
        byte[] block = new byte[4096];
        var times = new List<TimeSpan>();
        long begin = time.GetTimestamp();
        while (times.Count < Flushes && (times.Count < FlushesMin || time.GetElapsedTime(begin) < FlushingMax))
        {
            file.Write(block);
            long start = time.GetTimestamp();
            Flush(file.SafeFileHandle);
            times.Add(time.GetElapsedTime(start));
        }

        return times;
    }

    /// <summary>The greatest receive buffer that the system gives a socket.</summary>
    public static long? ReceiveBufferMax() => long.TryParse(ReadOrNull("/proc/sys/net/core/rmem_max"), NumberStyles.AllowTrailingWhite | NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture, out long most) ? most : null;

    /// <summary>Datagrams that the system dropped at sockets of these ports.</summary>
    public static long UdpDrops(IReadOnlyCollection<int> ports) => ProcFiles.UdpDrops(ReadOrNull("/proc/net/udp") + ReadOrNull("/proc/net/udp6"), ports);

    /// <summary>Children of a process that have ended and that it did not collect.</summary>
    public static int Zombies(int parent) => OperatingSystem.IsLinux()
        ? System.IO.Directory.EnumerateDirectories("/proc").Count(each => char.IsAsciiDigit(Path.GetFileName(each)[0]) && ReadOrNull(Path.Combine(each, "stat")) is { } stat && ProcFiles.IsZombieOf(stat, parent))
        : 0;

    /// <summary>Why an address cannot be bound; null when it can.</summary>
    public static string? BindProblem(IPEndPoint address)
    {
        try
        {
            using var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { ExclusiveAddressUse = true };
            if (address.AddressFamily == AddressFamily.InterNetworkV6)
            {
                socket.DualMode = false;
            }

            socket.Bind(address);
            return null;
        }
        catch (SocketException error)
        {
            return error.Message;
        }
    }

    private static string? ReadOrNull(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
