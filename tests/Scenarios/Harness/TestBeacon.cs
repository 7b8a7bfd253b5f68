using System.Diagnostics;

namespace Scenarios.Harness;

/// <summary>A beacon as an operator has it: a process started by the command line in a namespace, with a data directory that goes with the test.</summary>
internal sealed class TestBeacon : IAsyncDisposable
{
    public const int Port = 14592;

    private readonly TestNode _starter;
    private Process _process = null!;

    private readonly string[] _options;
    private bool _isUp;

    private TestBeacon(string networkNamespace, string[] options)
    {
        _starter = new TestNode("beacon") { Namespace = networkNamespace };
        _options = options;
    }

    public string Namespace => _starter.Namespace!;

    /// <summary>The line that devices have in their configuration.</summary>
    public string Setting { get; private set; } = "";

    public static async Task<TestBeacon> StartAsync(string networkNamespace, string address, params string[] options)
    {
        var beacon = new TestBeacon(networkNamespace, options);
        await beacon.UpAsync();
        beacon.Setting = beacon.Setting.Replace("HOST:", address + ":", StringComparison.Ordinal);
        return beacon;
    }

    public async Task UpAsync()
    {
        _process = _starter.Start(["beacon", "--listen", $"0.0.0.0:{Port}", "--data", _starter.Data, .. _options]);
        _ = _process.StandardError.ReadToEndAsync();
        string line = await _process.StandardOutput.ReadLineAsync() ?? "";
        _isUp = true;
        Assert.StartsWith("agentmesh.beacons = ", line, StringComparison.Ordinal);
        Setting = Setting.Length > 0 ? Setting : line["agentmesh.".Length..];
    }

    public async Task KillAsync()
    {
        _isUp = false;
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        if (_isUp)
        {
            await KillAsync();
        }

        await _starter.DisposeAsync();
    }
}
