using System.Text;
using AgentMesh.Shim.Format;

namespace AgentMesh.Shim;

/// <summary>Keeps room for the record of the end from the beginning, so that a disk that is full then can take it.</summary>
internal static class EndFile
{
    private const string Reserved = ShimFiles.End + ".new";
    private const int ReservedBytes = 256;

    public static void Reserve() => File.WriteAllBytes(Reserved, new byte[ReservedBytes]);

    public static void Write(EndRecord end)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(end.ToString());
        int file = Native.Open(Reserved, Native.OpenWrite | Native.CloseOnExec, 0);
        if (file < 0 || Native.Write(file, ref bytes[0], bytes.Length) != bytes.Length || Native.Truncate(file, bytes.Length) != 0 || Native.Sync(file) != 0)
        {
            throw Native.Failed("the end could not be written");
        }

        _ = Native.Close(file);
        File.Move(Reserved, ShimFiles.End, overwrite: true);
        Sync(".");
    }

    /// <summary>Does nothing where the file is not there (any more).</summary>
    public static void Sync(string path)
    {
        int file = Native.Open(path, Native.OpenRead | Native.CloseOnExec, 0);
        if (file >= 0)
        {
            _ = Native.Sync(file);
            _ = Native.Close(file);
        }
    }
}
