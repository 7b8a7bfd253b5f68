using System.Globalization;
using System.Text;

namespace Scenarios.Harness;

/// <summary>What containers and tunnels leave on a machine: interfaces with addresses that many machines have, and that lead nowhere or to somebody else.</summary>
internal static class Bridges
{
    /// <summary>docker0 with its usual address, and further interfaces named as bridges of containers are, two by two.</summary>
    public static void Crowd(string networkNamespace, int pairs)
    {
        var steps = new StringBuilder("link add docker0 type bridge\nlink add con0 type veth peer name con1\nlink set con0 master docker0 up\nlink set con1 up\naddr add 172.17.0.1/16 dev docker0\nlink set docker0 up\n");
        for (int i = 1; i <= pairs; i++)
        {
            steps.Append(CultureInfo.InvariantCulture, $"link add br-{i}a type veth peer name br-{i}b\n");
            foreach ((char end, int net) in new[] { ('a', 2 * i), ('b', (2 * i) + 1) })
            {
                steps.Append(CultureInfo.InvariantCulture, $"addr add 172.{17 + net}.0.1/16 dev br-{i}{end}\nlink set br-{i}{end} up\n");
            }
        }

        Run(networkNamespace, steps.ToString());
    }

    /// <summary>A bridge of containers that takes the first three numbers of a network that is in use elsewhere, with a container in it.</summary>
    /// <param name="network">The first three numbers.</param>
    /// <returns>The namespace of the container; <see cref="Remove"/> ends it.</returns>
    public static string Container(string networkNamespace, string network, int host)
    {
        string container = networkNamespace + "c";
        Assert.Empty(Shell.RunBoth("ip", "netns", "add", container));
        Run(networkNamespace, $"link add br-x type bridge\nlink add inner type veth peer name eth0 netns {container}\nlink set inner master br-x up\naddr add {network}.1/24 dev br-x\nlink set br-x up\n");
        Run(container, $"addr add {network}.{host}/24 dev eth0\nlink set eth0 up\nlink set lo up\n");
        return container;
    }

    public static void Remove(string container) => Shell.RunBoth("ip", "netns", "del", container);

    private static void Run(string networkNamespace, string steps)
    {
        string file = Path.GetTempFileName();
        File.WriteAllText(file, steps);
        string said = Shell.RunBoth("ip", "-n", networkNamespace, "-batch", file);
        File.Delete(file);
        Assert.Empty(said);
    }
}
