using System.Text;

namespace AgentMesh.Shim.Confine;

/// <summary>What may be done beneath a place. The letters are in the file.</summary>
internal enum PlaceKind : byte
{
    Read = (byte)'r',
    Execute = (byte)'x',
    Write = (byte)'w',

    /// <summary>Plain files that the node reads.</summary>
    Reports = (byte)'p',
    Device = (byte)'d',
}

/// <param name="Path">Whole, and without links: one that has come there since gives nothing.</param>
internal readonly record struct Place(PlaceKind Kind, string Path);

/// <summary>
/// The file <c>confine</c> of an attempt, which tells also how far the launcher got: at first what the program may reach (version 1, then each place with the letter of its kind before
/// its path, each value ending with a zero byte); empty from just before the program began; or <c>failed</c>, step, errno and what it was about, with a space between.
/// </summary>
internal static class ConfineFile
{
    private const string Version = "1";
    private const string Failed = "failed";

    public static string Text(IEnumerable<Place> places) => string.Concat(places.Select(place => $"{(char)place.Kind}{place.Path}\0").Prepend(Version + "\0"));

    /// <exception cref="FormatException">Not of this version, or damaged.</exception>
    public static IReadOnlyList<Place> Read(string text)
    {
        string[] values = text.Split('\0');
        if (values[0] != Version || values[^1].Length > 0)
        {
            throw new FormatException("the file is not of version " + Version);
        }

        return [.. values[1..^1].Select(value => value.Length > 1 && Enum.IsDefined((PlaceKind)value[0]) && value[1] == '/'
            ? new Place((PlaceKind)value[0], value[1..])
            : throw new FormatException("'" + value + "' is no place"))];
    }

    public static byte[] Failure(string step, int errno, string about) =>
        Encoding.UTF8.GetBytes(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Failed} {step} {errno} {about}\n"));

    /// <returns>Null where the program has begun.</returns>
    public static NotBegun? TryReadEnd(string file)
    {
        string text = File.ReadAllText(file);
        string[] fields = text.TrimEnd('\n').Split(' ', 4);
        return text.Length == 0 ? null
            : fields is [Failed, _, _, _] && int.TryParse(fields[2], out int errno) ? new NotBegun(fields[1], errno, fields[3])
            : new NotBegun(NotBegun.Launcher, 0, "");
    }
}

/// <summary>Why a program that was to be locked in has not begun.</summary>
/// <param name="Step">Of the launcher; <see cref="Launcher"/> where it ended before it could say anything.</param>
internal sealed record NotBegun(string Step, int Errno, string About)
{
    public const string Launcher = "launcher", Privileges = "no-new-privileges", Landlock = "landlock", Seccomp = "seccomp", Execute = "execute", Description = "description";
}
