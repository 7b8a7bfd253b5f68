using System.Text;

namespace Scenarios.Harness;

/// <summary>A capture file. It holds whatever else used loopback meanwhile, so it may be larger than memory.</summary>
public sealed class PacketCapture(string file)
{
    private const int BlockBytes = 4 * 1024 * 1024;

    public long Bytes => new FileInfo(file).Length;

    /// <summary>Those of the texts that stand somewhere in it.</summary>
    public IReadOnlyCollection<string> Find(IEnumerable<string> texts)
    {
        Dictionary<string, byte[]> wanted = texts.ToDictionary(text => text, Encoding.UTF8.GetBytes, StringComparer.Ordinal);
        int overlap = wanted.Values.Max(text => text.Length) - 1;
        var found = new HashSet<string>(StringComparer.Ordinal);
        byte[] block = new byte[overlap + BlockBytes];
        int kept = 0;
        using FileStream stream = File.OpenRead(file);
        while (stream.ReadAtLeast(block.AsSpan(kept, BlockBytes), BlockBytes, throwOnEndOfStream: false) is > 0 and var read)
        {
            ReadOnlySpan<byte> seen = block.AsSpan(0, kept + read);
            foreach ((string text, byte[] bytes) in wanted)
            {
                if (seen.IndexOf(bytes) >= 0)
                {
                    found.Add(text);
                }
            }

            // A text may lie across two blocks.
            kept = Math.Min(overlap, seen.Length);
            seen[^kept..].CopyTo(block);
        }

        return found;
    }

    public void Delete() => File.Delete(file);
}
