using System.Reflection;
using System.Runtime.InteropServices;
using AgentMesh.Errors;
using SQLitePCL;

namespace AgentMesh.Journal.Sqlite;

/// <summary>
/// Chooses the SQLite library once per process: the distribution's own, which gets its security updates, where there is one that is new
/// enough; otherwise the one that comes with the package.
/// </summary>
internal static class SqliteLibrary
{
    // 3.35.0: RETURNING and the WAL-reset fixes that the journal was tested with.
    private const int VersionNumberMin = 3_035_000;

    private static readonly Lazy<string> Loaded = new(Load);

    /// <summary>Version of the library in use, e.g. <c>3.40.1</c>.</summary>
    public static string Version => Loaded.Value;

    public static void EnsureLoaded() => _ = Loaded.Value;

    private static string Load()
    {
        try
        {
            if (OperatingSystem.IsLinux())
            {
                Assembly provider = typeof(SQLite3Provider_e_sqlite3).Assembly;
                NativeLibrary.SetDllImportResolver(provider, ResolveSystemLibrary);
            }

            Batteries_V2.Init();
            if (raw.sqlite3_libversion_number() < VersionNumberMin)
            {
                throw new MeshException(
                    JournalErrors.SqliteLibrary,
                    $"SQLite {raw.sqlite3_libversion().utf8_to_string()} is too old, 3.35 or newer is needed",
                    "install a newer libsqlite3");
            }

            return raw.sqlite3_libversion().utf8_to_string();
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
        {
            throw new MeshException(JournalErrors.SqliteLibrary, $"no SQLite library could be loaded: {e.Message}", "install libsqlite3-0 (apt-get install libsqlite3-0)", e);
        }
    }

    private static nint ResolveSystemLibrary(string name, Assembly assembly, DllImportSearchPath? searchPath)
    {
        if (name != "e_sqlite3" || !NativeLibrary.TryLoad("libsqlite3.so.0", out nint handle))
        {
            return 0;
        }

        // An old system library would be worse than the bundled one.
        if (NativeLibrary.TryGetExport(handle, "sqlite3_libversion_number", out nint export)
            && Marshal.GetDelegateForFunctionPointer<LibVersionNumber>(export)() >= VersionNumberMin)
        {
            return handle;
        }

        NativeLibrary.Free(handle);
        return 0;
    }

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate int LibVersionNumber();
}
