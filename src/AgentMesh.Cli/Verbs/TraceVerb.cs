using System.Buffers.Binary;
using System.CommandLine;
using System.Globalization;
using AgentMesh.Errors;

namespace AgentMesh.Cli.Verbs;

/// <summary>trace: what the sockets of this device send and receive, as a file that Wireshark opens.</summary>
internal static class TraceVerb
{
    public static Command Create(GlobalOptions global)
    {
        var path = new Argument<string>("FILE") { Description = "The capture file to write (pcapng). - is standard output: agentmesh trace - | wireshark -k -i -" };
        var duration = new Option<TimeSpan?>("--for") { Description = "Ends by itself after this time; without it, with Ctrl+C.", CustomParser = Durations.Parse };
        var snap = new Option<int>("--snap") { Description = "Keep no more than this many bytes of each packet (64 to 65535).", DefaultValueFactory = _ => 65_535 };
        return global.Verb("trace", "Record the datagrams of this device; their content stays encrypted (docs/trace.md).", [path, duration, snap], async (session, parsed, cancel) =>
        {
            string file = parsed.GetValue(path)!;
            double? seconds = parsed.GetValue(duration)?.TotalSeconds;
            string query = string.Create(CultureInfo.InvariantCulture, $"v1/trace?snap={Math.Clamp(parsed.GetValue(snap), 64, 65_535)}") +
                (seconds is { } limit ? string.Create(CultureInfo.InvariantCulture, $"&seconds={(int)Math.Ceiling(limit)}") : "");
            using var client = session.Connect();
            using Stream to = file == "-" ? Console.OpenStandardOutput() : Open(file);
            try
            {
                await client.DownloadAsync(query, to, cancel).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                // Ctrl+C is how it ends.
            }

            if (file != "-")
            {
                int packets = KeepWholeBlocks(to);
                session.Terminal.Hint(string.Create(CultureInfo.InvariantCulture, $"{file}: {packets:N0} packets, {to.Length:N0} bytes"));
            }

            return 0;
        });
    }

    /// <summary>Cuts off a block that the end has broken; see the pcapng format: type, length, content, length, all lengths of the whole block.</summary>
    /// <returns>How many packets there are.</returns>
    internal static int KeepWholeBlocks(Stream file)
    {
        const int enhancedPacket = 6, smallest = 12;
        Span<byte> head = stackalloc byte[8];
        long whole = 0;
        int packets = 0;
        for (file.Position = 0; file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) == head.Length; file.Position = whole)
        {
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(head[4..]);
            if (length < smallest || whole + length > file.Length)
            {
                break;
            }

            packets += BinaryPrimitives.ReadUInt32LittleEndian(head) == enhancedPacket ? 1 : 0;
            whole += length;
        }

        file.SetLength(whole);
        return packets;
    }

    private static FileStream Open(string file)
    {
        try
        {
            return File.Create(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new MeshException(CliErrors.Usage, $"{file} cannot be written: {error.Message}", "name another file", error);
        }
    }
}
