using System.Buffers.Binary;
using System.Globalization;
using System.Net;

namespace AgentMesh.Protocol.Gateways;

/// <summary>Linux' table of IPv4 routes, <c>/proc/net/route</c>: a line for each, addresses as hexadecimal numbers in the byte order of the machine.</summary>
public static class ProcNetRoute
{
    private const int Up = 1;
    private const int ToGateway = 2;
    private const int Columns = 8;

    /// <returns>The gateway of the default route with the lowest metric; null where there is none.</returns>
    public static (string Interface, IPAddress Gateway)? DefaultGateway(IEnumerable<string> lines)
    {
        (string Interface, IPAddress Gateway)? best = null;
        uint bestMetric = uint.MaxValue;
        foreach (string line in lines)
        {
            string[] fields = line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length < Columns || !TryHex(fields[1], out uint destination) || !TryHex(fields[2], out uint gateway) || !TryHex(fields[3], out uint flags)
                || !uint.TryParse(fields[6], NumberStyles.None, CultureInfo.InvariantCulture, out uint metric) || !TryHex(fields[7], out uint mask))
            {
                continue;
            }

            if (destination == 0 && mask == 0 && gateway != 0 && (flags & (Up | ToGateway)) == (Up | ToGateway) && (best is null || metric < bestMetric))
            {
                // Memory order: the number as it is read has the first byte of the address lowest on little-endian machines.
                best = (fields[0], new IPAddress(BitConverter.IsLittleEndian ? gateway : BinaryPrimitives.ReverseEndianness(gateway)));
                bestMetric = metric;
            }
        }

        return best;
    }

    private static bool TryHex(string text, out uint value) => uint.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
}
