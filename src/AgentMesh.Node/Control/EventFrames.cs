using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace AgentMesh.Node.Control;

/// <summary>
/// The binary form of a streamed answer, for who accepts <see cref="MediaType"/>: for each event 4 bytes length of its head, 4 bytes length of its data
/// (little-endian), then the head, the same JSON object as a line would be but with empty data, then the data as they are. Documented in
/// <c>docs/control-api.md</c>.
/// </summary>
public static class EventFrames
{
    public const string MediaType = "application/octet-stream";

    public const int HeaderBytes = 8;

    /// <summary>A longer head or longer data break the protocol.</summary>
    public const int PartBytesMax = 4 * 1024 * 1024;

    /// <summary>False for lengths that no frame has.</summary>
    public static bool TryReadHeader(ReadOnlySpan<byte> header, out int headBytes, out int dataBytes)
    {
        headBytes = BinaryPrimitives.ReadInt32LittleEndian(header);
        dataBytes = BinaryPrimitives.ReadInt32LittleEndian(header[4..]);
        return headBytes is >= 2 and <= PartBytesMax && dataBytes is >= 0 and <= PartBytesMax;
    }

    /// <summary>The head and the data of an event.</summary>
    public static (CommandEvent Head, ReadOnlyMemory<byte> Data) Split(CommandEvent whole) =>
        whole.Output is { } output ? (whole with { Output = output with { Data = default } }, output.Data) : (whole, default);

    public static (OutputView Head, ReadOnlyMemory<byte> Data) Split(OutputView whole) => (whole with { Data = default }, whole.Data);

    public static CommandEvent Join(CommandEvent head, ReadOnlyMemory<byte> data) => head.Output is { } output ? head with { Output = output with { Data = data } } : head;

    public static OutputView Join(OutputView head, ReadOnlyMemory<byte> data) => head with { Data = data };

    /// <param name="head">A buffer for the JSON, used again for each event.</param>
    internal static void Write<T>(PipeWriter to, ArrayBufferWriter<byte> head, T value, ReadOnlySpan<byte> data, JsonTypeInfo<T> type)
    {
        Serialize(head, value, type);
        Span<byte> header = to.GetSpan(HeaderBytes);
        BinaryPrimitives.WriteInt32LittleEndian(header, head.WrittenCount);
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], data.Length);
        to.Advance(HeaderBytes);
        to.Write(head.WrittenSpan);
        to.Write(data);
    }

    /// <param name="line">A buffer for the JSON, used again for each event.</param>
    internal static void WriteLine<T>(PipeWriter to, ArrayBufferWriter<byte> line, T value, JsonTypeInfo<T> type)
    {
        Serialize(line, value, type);
        to.Write(line.WrittenSpan);
        to.Write("\n"u8);
    }

    // Not straight to the connection: what has base64 in it wants one piece of memory for all of that.
    private static void Serialize<T>(ArrayBufferWriter<byte> buffer, T value, JsonTypeInfo<T> type)
    {
        buffer.ResetWrittenCount();
        using var json = new Utf8JsonWriter(buffer);
        JsonSerializer.Serialize(json, value, type);
    }
}
