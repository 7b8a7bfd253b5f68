using System.Globalization;
using System.Text;

namespace AgentMesh.Protocol.Discovery.Dht;

/// <summary>
/// Values of BEP 3: <c>long</c>, <c>byte[]</c>, <c>List&lt;object&gt;</c> and <c>SortedDictionary&lt;string, object&gt;</c>, whose keys are bytes as Latin-1. Reading is strict and bounded, and
/// never throws.
/// </summary>
internal static class Bencode
{
    private const int DepthMax = 8;
    private const int ItemsMax = 512;

    public static SortedDictionary<string, object> Dictionary(params (string Key, object Value)[] entries)
    {
        var dictionary = new SortedDictionary<string, object>(StringComparer.Ordinal);
        foreach ((string key, object value) in entries)
        {
            dictionary.Add(key, value);
        }

        return dictionary;
    }

    public static byte[] Write(object value)
    {
        using var bytes = new MemoryStream();
        Write(bytes, value);
        return bytes.ToArray();
    }

    /// <summary>Null unless the bytes are one whole value.</summary>
    public static object? TryRead(ReadOnlySpan<byte> bytes)
    {
        int at = 0, items = 0;
        return TryRead(bytes, ref at, ref items, 0) is { } value && at == bytes.Length ? value : null;
    }

    private static object? TryRead(ReadOnlySpan<byte> bytes, ref int at, ref int items, int depth)
    {
        if (at >= bytes.Length || depth > DepthMax || ++items > ItemsMax)
        {
            return null;
        }

        switch ((char)bytes[at])
        {
            case 'i':
                at++;
                return TryNumber(bytes, ref at, 'e', mayBeNegative: true);
            case 'l':
                at++;
                var list = new List<object>();
                while (at < bytes.Length && bytes[at] != 'e')
                {
                    if (TryRead(bytes, ref at, ref items, depth + 1) is not { } item)
                    {
                        return null;
                    }

                    list.Add(item);
                }

                return at++ < bytes.Length ? list : null;
            case 'd':
                at++;
                var dictionary = new SortedDictionary<string, object>(StringComparer.Ordinal);
                while (at < bytes.Length && bytes[at] != 'e')
                {
                    if (TryBytes(bytes, ref at) is not { } key || TryRead(bytes, ref at, ref items, depth + 1) is not { } value || !dictionary.TryAdd(Encoding.Latin1.GetString(key), value))
                    {
                        return null;
                    }
                }

                return at++ < bytes.Length ? dictionary : null;
            default:
                return TryBytes(bytes, ref at);
        }
    }

    private static byte[]? TryBytes(ReadOnlySpan<byte> bytes, ref int at)
    {
        if (TryNumber(bytes, ref at, ':', mayBeNegative: false) is not { } length || length > bytes.Length - at)
        {
            return null;
        }

        byte[] read = bytes.Slice(at, (int)length).ToArray();
        at += (int)length;
        return read;
    }

    private static long? TryNumber(ReadOnlySpan<byte> bytes, ref int at, char end, bool mayBeNegative)
    {
        const int digitsMax = 20;
        int length = bytes[at..].IndexOf((byte)end);
        if (length is < 1 or > digitsMax)
        {
            return null;
        }

        ReadOnlySpan<byte> text = bytes.Slice(at, length), digits = mayBeNegative && text[0] == '-' ? text[1..] : text;
        bool isPlain = digits.Length > 0 && digits.IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0 && (digits[0] != '0' || (digits.Length == 1 && text.Length == 1));
        at += length + 1;
        return isPlain && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) ? number : null;
    }

    private static void Write(MemoryStream bytes, object value)
    {
        switch (value)
        {
            case long number:
                bytes.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"i{number}e")));
                break;
            case byte[] text:
                bytes.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{text.Length}:")));
                bytes.Write(text);
                break;
            case List<object> list:
                bytes.WriteByte((byte)'l');
                list.ForEach(item => Write(bytes, item));
                bytes.WriteByte((byte)'e');
                break;
            case SortedDictionary<string, object> dictionary:
                bytes.WriteByte((byte)'d');
                foreach ((string key, object item) in dictionary)
                {
                    Write(bytes, Encoding.Latin1.GetBytes(key));
                    Write(bytes, item);
                }

                bytes.WriteByte((byte)'e');
                break;
            default:
                throw new Errors.InvariantException($"{value.GetType()} has no form in bencode");
        }
    }
}
