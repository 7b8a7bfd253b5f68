using System.Buffers.Binary;
using System.Text;

namespace AgentMesh.Fuzz.Engine;

/// <summary>Makes new inputs of old ones. All chance comes from one source, so a seed gives the same inputs again.</summary>
internal sealed class Mutator(Random random, FuzzTarget target)
{
    private static readonly ulong[] Numbers =
    [
        0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 65, 100, 127, 128, 129, 254, 255, 256, 257, 511, 512, 1_023, 1_024, 1_199, 1_200, 1_472, 4_095, 4_096, 16_383, 16_384, 32_767, 32_768,
        65_535, 65_536, 0x3fffffff, 0x40000000, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x3fffffffffffffff, 0x4000000000000000, long.MaxValue, 0x8000000000000000, ulong.MaxValue,
    ];

    private static readonly string[] TextPieces = ["\0", "\n", "\r\n", " ", "\t", "\"", "'", "\\", "{", "}", "[", "]", "(", ")", ":", ",", "=", "#", "|", "@", "*", "/", "-", "..", "é", "\U0001F600", "\u202e", "\ud7ff", "9999999999999999999", "-1", "1e999", "NaN"];

    private readonly byte[][] _words = [.. target.Words.Concat(target.IsText ? TextPieces : []).Select(Encoding.UTF8.GetBytes)];

    /// <param name="other">Another input, from which pieces are taken.</param>
    public byte[] Mutate(byte[] input, byte[] other)
    {
        var bytes = new List<byte>(input);
        for (int changes = 1 << random.Next(5); changes > 0; changes--)
        {
            Change(bytes, other);
        }

        if (bytes.Count > target.InputBytesMax)
        {
            bytes.RemoveRange(target.InputBytesMax, bytes.Count - target.InputBytesMax);
        }

        return [.. bytes];
    }

    private void Change(List<byte> bytes, byte[] other)
    {
        int at = bytes.Count == 0 ? 0 : random.Next(bytes.Count);
        switch (random.Next(13))
        {
            case 0 or 1 when bytes.Count > 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 2 when bytes.Count > 0:
                bytes[at] = (byte)random.Next(256);
                break;
            case 3 when bytes.Count > 0:
                bytes[at] = (byte)Numbers[random.Next(Numbers.Length)];
                break;
            case 4 when bytes.Count > 0:
                bytes.RemoveRange(at, random.Next(1, Math.Min(bytes.Count - at, 32) + 1));
                break;
            case 5 when bytes.Count > 0 && random.Next(4) == 0:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            case 6 when bytes.Count > 0:
                // A piece again, perhaps many times: depth and counts.
                byte[] piece = [.. bytes.GetRange(at, random.Next(1, Math.Min(bytes.Count - at, 64) + 1))];
                for (int times = random.Next(8) == 0 ? random.Next(64) : 1; times > 0 && bytes.Count < target.InputBytesMax; times--)
                {
                    bytes.InsertRange(at, piece);
                }

                break;
            case 7:
                Number(bytes, at);
                break;
            case 8 when other.Length > 0:
                int from = random.Next(other.Length), length = random.Next(1, Math.Min(other.Length - from, 128) + 1);
                bytes.InsertRange(at, other.AsSpan(from, length).ToArray());
                break;
            case 9 when other.Length > 0 && bytes.Count > 0:
                // The beginning of one, the end of another.
                int cut = random.Next(other.Length);
                bytes.RemoveRange(at, bytes.Count - at);
                bytes.AddRange(other.AsSpan(cut).ToArray());
                break;
            case 10 when _words.Length > 0:
                bytes.InsertRange(at, _words[random.Next(_words.Length)]);
                break;
            case 11:
                byte[] fresh = new byte[random.Next(1, 17)];
                random.NextBytes(fresh);
                bytes.InsertRange(at, fresh);
                break;
            case 12 when bytes.Count > 1:
                int to = random.Next(bytes.Count);
                (bytes[at], bytes[to]) = (bytes[to], bytes[at]);
                break;
        }
    }

    private void Number(List<byte> bytes, int at)
    {
        Span<byte> number = stackalloc byte[8];
        ulong value = Numbers[random.Next(Numbers.Length)];
        int size = 1 << random.Next(4);
        if (random.Next(2) == 0)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(number, value);
            number = number[..size];
        }
        else
        {
            BinaryPrimitives.WriteUInt64BigEndian(number, value);
            number = number[^size..];
        }

        for (int i = 0; i < size; i++)
        {
            if (at + i < bytes.Count)
            {
                bytes[at + i] = number[i];
            }
            else
            {
                bytes.Add(number[i]);
            }
        }
    }
}
