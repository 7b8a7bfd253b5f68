using System.Globalization;
using System.Text;

namespace AgentMesh.Shim.Format;

/// <summary>
/// The files of one attempt, in a directory of its own (mode 0700):
/// <code>
/// order      JSON    the node's: which job and attempt this is (the shim does not read it)
/// launch     text    what the shim is to start, with limits; <see cref="LaunchFile"/>
/// shim       text    who runs: numbers and start times of shim and program; <see cref="ShimRecord"/>
/// control    socket  frames of 32 bytes between node and shim; <see cref="ShimFrame"/>
/// stdout.N   bytes   output from offset N * <see cref="SegmentBytes"/> on, N from 0; the same for stderr.N
/// confine    text    what a program that is locked in may reach, then how far its launcher got; <see cref="AgentMesh.Shim.Confine.ConfineFile"/>
/// reports    dir     what such a program tells of itself; that of others lies beside these files
/// input      pipe    standard input of the program, where it has any and no terminal
/// end        text    how it ended; written once, when all output is written; <see cref="EndRecord"/>
/// given-up   JSON    the node's: why it ends the attempt, from before it does
/// </code>
/// The shim alone writes output, record and end; the node alone deletes, and only output that the home of the job has acknowledged.
/// </summary>
internal static class ShimFiles
{
    public const string Order = "order";
    public const string Confine = "confine";
    public const string Launch = "launch";
    public const string Record = "shim";
    public const string Control = "control";
    public const string End = "end";
    public const string Stdout = "stdout";
    public const string Stderr = "stderr";
    public const string Input = "input";

    /// <summary>1 MiB: so much more than the unacknowledged bytes may lie on disk for each stream.</summary>
    public const int SegmentBytes = 1024 * 1024;

    /// <summary>Input that the shim holds for a program that does not read it.</summary>
    public const int InputBytesMax = 256 * 1024;

    public static string Segment(string stream, long number) => stream + "." + number.ToString(CultureInfo.InvariantCulture);

    /// <summary>
    /// Written whole, or not at all. Most are not forced to disk: nothing that they tell of survives a loss of power, except an end, which brings what it needs.
    /// </summary>
    public static void Replace(string file, string text, bool isDurable = false)
    {
        string fresh = file + ".new";
        using (FileStream stream = File.Create(fresh))
        {
            stream.Write(Encoding.UTF8.GetBytes(text));
            stream.Flush(flushToDisk: isDurable);
        }

        File.Move(fresh, file, overwrite: true);
    }
}
