using System.Buffers.Binary;

namespace AgentMesh.Journal.Sqlite;

/// <summary>
/// Tells damage inside of a write-ahead log from the torn end that a power cut leaves. SQLite stops reading at the first frame that does not match and
/// drops the rest in both cases.
/// </summary>
/// <remarks>
/// Format: https://www.sqlite.org/fileformat2.html#the_write_ahead_log. With <c>synchronous=FULL</c> a transaction is flushed before the next one is written; so a
/// frame that does not match, followed by the end of a transaction and a frame of the next, stands in a transaction that had been acknowledged.
/// </remarks>
internal static class WalInspector
{
    private const int HeaderBytes = 32;
    private const int FrameHeaderBytes = 24;
    private const uint MagicLittleEndian = 0x377F0682;
    private const uint MagicBigEndian = 0x377F0683;

    /// <returns>Byte position of the first damaged frame; null when there is no damage, or no log.</returns>
    public static long? FindDamage(string walPath)
    {
        if (!File.Exists(walPath))
        {
            return null;
        }

        using FileStream wal = new(walPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 16);
        byte[] header = new byte[HeaderBytes];
        if (wal.ReadAtLeast(header, HeaderBytes, throwOnEndOfStream: false) < HeaderBytes)
        {
            return null;
        }

        uint magic = BinaryPrimitives.ReadUInt32BigEndian(header);
        Sum sum = new(magic == MagicBigEndian);
        sum.Add(header.AsSpan(0, 24));
        bool intact = magic is MagicLittleEndian or MagicBigEndian && sum.Matches(header.AsSpan(24));
        uint pageBytes = BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(8));
        if (pageBytes is < 512 or > 65536)
        {
            pageBytes = 4096;
        }

        byte[] salts = header[16..24];
        byte[] frame = new byte[FrameHeaderBytes + pageBytes];
        long? damage = intact ? null : 0;
        uint endPage = 0;
        for (long position = HeaderBytes; wal.ReadAtLeast(frame, frame.Length, throwOnEndOfStream: false) == frame.Length; position += frame.Length)
        {
            if (damage == 0 && position == HeaderBytes)
            {
                // With a damaged head the frames say which generation of the log they belong to.
                salts = frame[8..16];
            }

            bool isOfThisLog = frame.AsSpan(8, 8).SequenceEqual(salts);
            if (damage is null)
            {
                sum.Add(frame.AsSpan(0, 8));
                sum.Add(frame.AsSpan(FrameHeaderBytes));
                if (isOfThisLog && sum.Matches(frame.AsSpan(16)))
                {
                    continue;
                }

                damage = position;
            }

            if (!isOfThisLog)
            {
                continue;
            }

            // On file systems without power-safe overwrite SQLite repeats the last frame of a transaction up to the end of a sector.
            uint page = BinaryPrimitives.ReadUInt32BigEndian(frame);
            bool isEnd = BinaryPrimitives.ReadUInt32BigEndian(frame.AsSpan(4)) != 0;
            if (endPage != 0 && !(isEnd && page == endPage))
            {
                return damage;
            }

            endPage = isEnd ? page : 0;
        }

        return null;
    }

    private struct Sum(bool bigEndian)
    {
        private uint _s0;
        private uint _s1;

        public void Add(ReadOnlySpan<byte> bytes)
        {
            unchecked
            {
                for (; bytes.Length >= 8; bytes = bytes[8..])
                {
                    _s0 += Word(bytes) + _s1;
                    _s1 += Word(bytes[4..]) + _s0;
                }
            }
        }

        public readonly bool Matches(ReadOnlySpan<byte> stored) =>
            BinaryPrimitives.ReadUInt32BigEndian(stored) == _s0 && BinaryPrimitives.ReadUInt32BigEndian(stored[4..]) == _s1;

        private readonly uint Word(ReadOnlySpan<byte> bytes) => bigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);
    }
}
