using System.Diagnostics;
using System.Globalization;

namespace Scenarios.Harness;

/// <summary>A DHT of bittorrent-dht nodes, run by node; the package comes from npm.</summary>
internal sealed class TestDhtNodes : IDisposable
{
    private const string Package = "bittorrent-dht@11.0.12";

    private const string Script = """
        import DHT from 'bittorrent-dht'
        import crypto from 'node:crypto'
        const host = process.argv[3]
        const verify = (signature, message, key) => crypto.verify(null, message, {
          key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), key]), format: 'der', type: 'spki'
        }, signature)
        const open = bootstrap => new Promise(resolve => {
          const dht = new DHT({ bootstrap, verify, host })
          dht.on('error', () => {})
          dht.listen(0, host, () => resolve(dht))
        })
        const first = await open(false)
        const nodes = [first]
        for (let i = 1; i < Number(process.argv[2]); i++) {
          const node = await open([`${host}:${first.address().port}`])
          await new Promise(resolve => node.on('ready', resolve))
          nodes.push(node)
        }
        for (const a of nodes) for (const b of nodes) if (a !== b) a.addNode({ host, port: b.address().port })
        setTimeout(() => console.log(first.address().port), 500)
        process.stdin.on('data', data => nodes[nodes.length - 1].get(Buffer.from(data.toString().trim(), 'hex'), { verify }, (error, item) => {
          if (error || !item) console.log('nothing', error ? error.message : '')
          else console.log(`valid seq=${item.seq} bytes=${item.v.length} key=${item.k.toString('hex')}`)
        }))
        process.stdin.on('end', () => process.exit(0))
        """;

    private readonly Process _process;

    private TestDhtNodes(Process process) => _process = process;

    /// <returns>Null where node or the package cannot be had; <paramref name="whyNot"/> says why.</returns>
    /// <param name="host">Where they listen, in a network namespace; on loopback of the test's own without one.</param>
    public static TestDhtNodes? TryStart(int count, out string whyNot, string? space = null, string host = "127.0.0.1")
    {
        whyNot = "";
        if (!Shell.Has("node") || !Shell.Has("npm"))
        {
            whyNot = "node and npm are not installed";
            return null;
        }

        string directory = Directory();
        if (!System.IO.Directory.Exists(Path.Combine(directory, "node_modules", "bittorrent-dht")))
        {
            System.IO.Directory.CreateDirectory(directory);
            File.WriteAllText(Path.Combine(directory, "package.json"), """{"name":"agentmesh-test-dht","private":true,"type":"module"}""");
            using Process npm = Process.Start(new ProcessStartInfo("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", Package])
            {
                WorkingDirectory = directory, RedirectStandardOutput = true, RedirectStandardError = true,
            })!;
            Task<string> said = npm.StandardError.ReadToEndAsync();
            _ = npm.StandardOutput.ReadToEndAsync();
            if (!npm.WaitForExit(TimeSpan.FromMinutes(2)) || npm.ExitCode != 0)
            {
                npm.Kill(entireProcessTree: true);
                whyNot = $"npm could not install {Package}: {said.GetAwaiter().GetResult().Split('\n')[0]}";
                return null;
            }
        }

        string script = Path.Combine(directory, "nodes.js");
        File.WriteAllText(script, Script);
        string[] words = ["node", script, count.ToString(CultureInfo.InvariantCulture), host];
        return new TestDhtNodes(Process.Start(new ProcessStartInfo(space is null ? words[0] : "ip", space is null ? words[1..] : ["netns", "exec", space, .. words])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, WorkingDirectory = directory,
        })!);
    }

    /// <summary>Of the first node, when all know each other.</summary>
    public async Task<int> PortAsync() => int.Parse((await LineAsync())!, CultureInfo.InvariantCulture);

    /// <summary>What the last node finds under a hash.</summary>
    public async Task<string> GetAsync(string target)
    {
        await _process.StandardInput.WriteLineAsync(target);
        await _process.StandardInput.FlushAsync();
        return await LineAsync() ?? "";
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private Task<string?> LineAsync() => _process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(1));

    // Beside the built program in artifacts/, where it is found again by the next run.
    private static string Directory() => Environment.GetEnvironmentVariable("AGENTMESH_PROGRAM") is { Length: > 0 } program
        ? Path.GetFullPath(Path.Combine(Path.GetDirectoryName(program)!, "..", "npm-dht"))
        : Path.Combine(Path.GetTempPath(), "agentmesh-test-npm-dht");
}
