using System.Net;
using AgentMesh.Protocol.Crypto;

namespace AgentMesh.Protocol.Punching;

/// <summary>What outside ports that a NAT gave out say about the next ones: beacon-v1, "Hard NATs".</summary>
public static class PortSteps
{
    public const int PredictedMax = 8;

    /// <summary>Probes to ports that nobody has named, of one connection in ten minutes.</summary>
    public const int ProbesMax = 2048;

    /// <summary>100 of them a second.</summary>
    public static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(10);

    private const int FirstPort = 1024;
    private const int LastPort = 65_535;

    // NATs that step do so by 1 or 2, and others who share them take some in between.
    private const int StepMax = 16;
    private const int TakenByOthersMax = 8;

    /// <param name="ports">Of fresh sockets, in the order in which they were opened.</param>
    /// <returns>0 where they follow no rule, or are too few to tell.</returns>
    public static int Of(IReadOnlyList<int> ports)
    {
        if (ports.Count < 4)
        {
            return 0;
        }

        int[] steps = [.. ports.Skip(1).Zip(ports, (next, before) => next - before)];
        int least = steps.MinBy(Math.Abs);
        bool isRule = least != 0 && Math.Abs(least) <= StepMax && Array.TrueForAll(steps, step => step % least == 0 && step / least is > 0 and <= TakenByOthersMax);
        return isRule ? least : 0;
    }

    /// <summary>The next ones, the first first; only <paramref name="first"/> where the step is 0.</summary>
    public static IReadOnlyList<int> From(int first, int step)
    {
        var ports = new List<int>();
        for (int port = first; port is >= 1 and <= LastPort && ports.Count < (step == 0 ? 1 : PredictedMax); port += step)
        {
            ports.Add(port);
        }

        return ports;
    }

    /// <summary>Ports at random, none twice.</summary>
    public static IReadOnlyList<int> AtRandom(int count, IEntropy entropy)
    {
        int[] all = [.. Enumerable.Range(FirstPort, LastPort - FirstPort + 1)];
        byte[] random = new byte[count * sizeof(uint)];
        entropy.Fill(random);
        for (int i = 0; i < count; i++)
        {
            int other = i + (int)(BitConverter.ToUInt32(random, i * sizeof(uint)) % (uint)(all.Length - i));
            (all[i], all[other]) = (all[other], all[i]);
        }

        return all[..count];
    }

    public static IPEndPoint? Shifted(IPEndPoint seen, int step, int times) =>
        seen.Port + (step * times) is >= 1 and <= LastPort and int port ? new IPEndPoint(seen.Address, port) : null;
}
