using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace AgentMesh.Journal.Tests.Postgres;

/// <summary>
/// A PostgreSQL server of the tests' own: a cluster in a temporary directory, reached through a Unix socket there and no network. It runs as
/// another user where the tests run as root, which the server refuses.
/// </summary>
public sealed class PostgresServer : IDisposable
{
    private static readonly Lazy<string?> Binaries = new(FindBinaries);
    private readonly DirectoryInfo _directory;
    private int _databases;

    private readonly SmallDisk? _disk;

    /// <param name="flushes">Whether a commit waits for the disk. A killed server loses nothing without it, as the system keeps what was written.</param>
    /// <param name="diskMegabytes">All that it keeps is on a disk of this size, its log included; see <see cref="SmallDisk.WhyNot"/>.</param>
    public PostgresServer(bool flushes = false, int? diskMegabytes = null)
    {
        if (WhyNot is { } reason)
        {
            throw new InvalidOperationException(reason);
        }

        _directory = Directory.CreateTempSubdirectory("agentmesh-pg-");
        _disk = diskMegabytes is { } size ? new SmallDisk(_directory.FullName, size) : null;
        if (IsRoot)
        {
            Run("chown", "nobody", _directory.FullName);
        }

        RunAs("initdb", "-D", Data, "-U", "mesh", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions", _disk is null ? "--wal-segsize=16" : "--wal-segsize=1");
        File.AppendAllText(
            Path.Combine(Data, "postgresql.conf"),
            $"listen_addresses = ''\nunix_socket_directories = '{_directory.FullName}'\nport = 5432\nmax_connections = 100\nshared_buffers = 16MB\nfsync = {(flushes ? "on" : "off")}\nrestart_after_crash = on\n{(_disk is null ? "" : "min_wal_size = 2MB\nmax_wal_size = 4MB\n")}");
        Start();
    }

    /// <summary>Why there is none on this machine; null where there is.</summary>
    public static string? WhyNot => !OperatingSystem.IsLinux() ? "the tests start PostgreSQL on Linux only"
        : Binaries.Value is null ? "PostgreSQL is not installed (Debian: postgresql)" : null;

    /// <summary>The directory of its socket, which is the host in a connection string.</summary>
    public string Host => _directory.FullName;

    private static bool IsRoot => Environment.UserName == "root";

    private string Data => Path.Combine(_directory.FullName, "data");

    /// <summary>A fresh database of its own.</summary>
    /// <param name="on">The disk that its tables are on, while the log of the server stays where it is; null for that of the server.</param>
    public string NewDatabase(SmallDisk? on = null)
    {
        string name = $"t{Interlocked.Increment(ref _databases)}";
        using NpgsqlConnection connection = new(ConnectionString("postgres") + ";Pooling=false");
        connection.Open();
        if (on is not null)
        {
            if (IsRoot)
            {
                Run("chown", "nobody", on.Directory);
            }

            using NpgsqlCommand space = new($"CREATE TABLESPACE s{name} LOCATION '{on.Directory}'", connection);
            space.ExecuteNonQuery();
        }

        using NpgsqlCommand create = new($"CREATE DATABASE {name}{(on is null ? "" : $" TABLESPACE s{name}")}", connection);
        create.ExecuteNonQuery();
        return ConnectionString(name);
    }

    public string ConnectionString(string database) => $"Host={Host};Database={database};Username=mesh";

    /// <summary>Whether the server runs: one that cannot write its log ends.</summary>
    public bool IsUp
    {
        get
        {
            try
            {
                RunAs("pg_ctl", "-D", Data, "status");
                return true;
            }
            catch (InvalidOperationException)
            {
                return false;
            }
        }
    }

    /// <summary>Once more where it does not run, and is not just ending.</summary>
    public void StartIfDown()
    {
        try
        {
            if (!IsUp)
            {
                Start();
            }
        }
        catch (InvalidOperationException)
        {
            // The one before has not gone yet.
        }
    }

    /// <summary>There is room again, or less of it.</summary>
    public void ResizeDisk(int megabytes) => _disk!.Resize(megabytes);

    public void Start() => RunAs("pg_ctl", "-D", Data, "-w", "-t", "60", "-l", Path.Combine(Data, "server.log"), "start");

    /// <summary>Ends it as a loss of power would, as far as a process can: no checkpoint, no goodbye.</summary>
    public void Crash()
    {
        int main = int.Parse(File.ReadLines(Path.Combine(Data, "postmaster.pid")).First(), CultureInfo.InvariantCulture);
        using Process process = Process.GetProcessById(main);
        process.Kill();
        process.WaitForExit();

        // Its children notice by themselves, and the next server waits for the last of them.
        while (Directory.EnumerateDirectories("/proc").Any(IsChildOfThis))
        {
            Thread.Sleep(20);
        }
    }

    /// <summary>Kills the processes that serve clients, in the middle of whatever they do. The server ends all others then, and recovers.</summary>
    /// <returns>How many there were.</returns>
    public int KillBackends()
    {
        int killed = 0;
        foreach (string process in Directory.EnumerateDirectories("/proc").Where(IsChildOfThis))
        {
            try
            {
                if (File.ReadAllText(Path.Combine(process, "cmdline")).StartsWith("postgres: mesh ", StringComparison.Ordinal))
                {
                    using Process backend = Process.GetProcessById(int.Parse(Path.GetFileName(process), CultureInfo.InvariantCulture));
                    backend.Kill();
                    killed++;
                }
            }
            catch (Exception e) when (e is IOException or ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception)
            {
                // It has ended by itself.
            }
        }

        return killed;
    }

    public void Dispose()
    {
        try
        {
            RunAs("pg_ctl", "-D", Data, "-m", "immediate", "-w", "-t", "60", "stop");
        }
        catch (InvalidOperationException)
        {
            // A test has ended it.
        }

        _disk?.Dispose();
        _directory.Delete(recursive: true);
    }

    private bool IsChildOfThis(string process)
    {
        try
        {
            return new FileInfo(Path.Combine(process, "cwd")).ResolveLinkTarget(false)?.FullName == Data;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static string? FindBinaries()
    {
        string[] places = Directory.Exists("/usr/lib/postgresql") ? [.. Directory.GetDirectories("/usr/lib/postgresql").OrderDescending().Select(version => Path.Combine(version, "bin"))] : [];
        return places.Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'))
            .FirstOrDefault(place => File.Exists(Path.Combine(place, "initdb")) && File.Exists(Path.Combine(place, "pg_ctl")));
    }

    private static void RunAs(string program, params string[] arguments)
    {
        string path = Path.Combine(Binaries.Value!, program);
        if (IsRoot)
        {
            Run("setpriv", ["--reuid=nobody", "--regid=nogroup", "--clear-groups", path, .. arguments]);
        }
        else
        {
            Run(path, arguments);
        }
    }

    private static void Run(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = "/tmp" };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromSeconds(120)))
        {
            process.Kill(entireProcessTree: true);
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} did not end");
        }

        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} failed: {errors.Result} {output.Result}");
        }
    }
}
