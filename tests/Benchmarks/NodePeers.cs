using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace Benchmarks;

/// <summary>Transports that come from npm, run by node: UDX, and HyperDHT, which finds devices by key and connects over UDX.</summary>
internal static class NodePeers
{
    private const int SendPort = 31_901;
    private const int ReceivePort = 31_902;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly Lazy<(string? Directory, string? Why)> Installed = new(Install);

    private const string UdxScript = """
        const UDX = require('udx-native')
        const [role, host, port, peerHost, peerPort, seconds] = process.argv.slice(2)
        const socket = new UDX().createSocket()
        socket.bind(Number(port), host)
        const stream = socket.udx.createStream(role === 'send' ? 1 : 2)
        stream.on('error', () => process.exit(0))
        stream.connect(socket, role === 'send' ? 2 : 1, Number(peerPort), peerHost)
        if (role === 'send') {
          const block = Buffer.alloc(64 * 1024)
          const push = () => { while (stream.write(block)); stream.once('drain', push) }
          push()
          setTimeout(() => process.exit(0), 60000)
        } else {
          let bytes = 0
          let begun = 0n
          stream.on('data', data => {
            const now = process.hrtime.bigint()
            if (begun === 0n) begun = now + 1000000000n
            if (now < begun) return
            bytes += data.length
            if (now - begun > BigInt(seconds) * 1000000000n) {
              console.log(require('udx-native/package.json').version, bytes * 8 / Number(now - begun))
              process.exit(0)
            }
          })
        }
        """;

    private const string HyperDhtScript = """
        const DHT = require('hyperdht')
        const createTestnet = require('hyperdht/testnet')
        async function main () {
          const testnet = await createTestnet(6)
          const listening = testnet.createNode().createServer(socket => {
            socket.on('error', () => {})
            socket.on('data', data => socket.write(data))
          })
          const keys = DHT.keyPair()
          await listening.listen(keys)
          const client = testnet.createNode()
          await client.fullyBootstrapped()
          const times = []
          for (let i = 0; i < Number(process.argv[2]); i++) {
            const begun = process.hrtime.bigint()
            const socket = client.connect(keys.publicKey)
            await new Promise((resolve, reject) => { socket.once('error', reject); socket.once('open', resolve) })
            const answered = new Promise(resolve => socket.once('data', resolve))
            socket.write(Buffer.from('x'))
            await answered
            times.push(Number(process.hrtime.bigint() - begun) / 1e6)
            const closed = new Promise(resolve => socket.once('close', resolve))
            socket.destroy()
            await closed
          }
          times.sort((a, b) => a - b)
          console.log(require('hyperdht/package.json').version, times[times.length >> 1])
          process.exit(0)
        }
        main()
        """;

    /// <summary>One UDX stream between two processes at both ends of <paramref name="wire"/>.</summary>
    /// <returns>Version and Gb/s; null, with the reason, where it cannot run.</returns>
    public static ((string Version, double Gigabits)? Figures, string? Why) Udx(Wire wire, int seconds)
    {
        if (Installed.Value is { Directory: null, Why: var why })
        {
            return (null, why);
        }

        using Process receiving = Start(wire.Command(near: false, "node", Script("udx.js", UdxScript), "receive", wire.Far.ToString(), Text(ReceivePort), wire.Near.ToString(), Text(SendPort), Text(seconds)));
        using Process sending = Start(wire.Command(near: true, "node", Script("udx.js", UdxScript), "send", wire.Near.ToString(), Text(SendPort), wire.Far.ToString(), Text(ReceivePort)));
        try
        {
            return Figures(receiving) is { } figures ? (figures, null) : (null, "no figure came");
        }
        finally
        {
            sending.Kill();
            sending.WaitForExit();
        }
    }

    /// <summary>The median time from the key to the first echo, over a network of six HyperDHT nodes on loopback.</summary>
    public static ((string Version, double Milliseconds)? Figures, string? Why) HyperDht(int count)
    {
        if (Installed.Value is { Directory: null, Why: var why })
        {
            return (null, why);
        }

        using Process process = Start(["node", Script("hyperdht.js", HyperDhtScript), Text(count)]);
        return Figures(process) is { } figures ? (figures, null) : (null, "no figure came");
    }

    private static (string Version, double Figure)? Figures(Process process)
    {
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(Patience))
        {
            process.Kill();
        }

        string[] words = output.GetAwaiter().GetResult().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return words.Length == 2 ? (words[0], double.Parse(words[1], CultureInfo.InvariantCulture)) : null;
    }

    private static string Script(string name, string text)
    {
        string path = Path.Combine(Installed.Value.Directory!, name);
        File.WriteAllText(path, text);
        return path;
    }

    private static (string? Directory, string? Why) Install()
    {
        // Beside the built program, where it is found again by the next run.
        string directory = Environment.GetEnvironmentVariable("AGENTMESH_PROGRAM") is { } program
            ? Path.GetFullPath(Path.Combine(Path.GetDirectoryName(program)!, "..", "npm"))
            : Path.Combine(Path.GetTempPath(), "agentmesh-bench-npm");
        Directory.CreateDirectory(directory);
        if (Directory.Exists(Path.Combine(directory, "node_modules", "hyperdht")))
        {
            return (directory, null);
        }

        try
        {
            using Process npm = Start(["npm", "install", "--prefix", directory, "--no-audit", "--no-fund", "--silent", "udx-native", "hyperdht"]);
            Task<string> output = npm.StandardOutput.ReadToEndAsync();
            return npm.WaitForExit(Patience) && npm.ExitCode == 0 ? (directory, null) : (null, "npm cannot install udx-native and hyperdht: " + output.GetAwaiter().GetResult().Trim());
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            return (null, missing.Message);
        }
    }

    private static Process Start(string[] words) =>
        Process.Start(new ProcessStartInfo(words[0], words[1..]) { RedirectStandardOutput = true, UseShellExecute = false })!;

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
