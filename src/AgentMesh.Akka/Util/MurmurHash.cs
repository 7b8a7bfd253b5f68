using System.Numerics;
using System.Text;

namespace Akka.Util;

/// <summary>32-bit MurmurHash3 (the public-domain x86 variant, seed 0): the same value on every device and run.</summary>
public static class MurmurHash
{
    // Constants of the algorithm.
    private const uint C1 = 0xcc9e2d51;
    private const uint C2 = 0x1b873593;

    public static int StringHash(string s) => ByteHash(Encoding.UTF8.GetBytes(s));

    public static int ByteHash(byte[] b)
    {
        uint hash = 0;
        int blocks = b.Length / 4;
        for (int i = 0; i < blocks; i++)
        {
            hash ^= Mix(BitConverter.ToUInt32(b, i * 4));
            hash = (BitOperations.RotateLeft(hash, 13) * 5) + 0xe6546b64;
        }

        uint tail = 0;
        for (int i = b.Length - 1; i >= blocks * 4; i--)
            tail = (tail << 8) | b[i];
        hash ^= Mix(tail);
        hash ^= (uint)b.Length;
        hash = (hash ^ (hash >> 16)) * 0x85ebca6b;
        hash = (hash ^ (hash >> 13)) * 0xc2b2ae35;
        return (int)(hash ^ (hash >> 16));
    }

    private static uint Mix(uint block) => BitOperations.RotateLeft(block * C1, 15) * C2;
}
