using System.Text.Json;
using AgentMesh.Cli.Output;
using AgentMesh.Cli.Verbs;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Tests;

public sealed class PingVerbTests
{
    private static readonly PingEvent Answered = new("probe", "gpu", "id", Probe: new PingProbeView(1, 1.234, 3, "10.0.0.2:14590", "direct", null));
    private static readonly PingEvent Lost = new("probe", "gpu", "id", Probe: new PingProbeView(2, null, null, "10.0.0.2:14590", "direct", "no answer within 5 s"));

    [Fact]
    public async Task All_answered_is_shown_with_time_and_path_and_exit_code_0()
    {
        (int code, string text) = await ShowAsync(json: false, Answered, Summary(1, 1));

        Assert.Equal(0, code);
        Assert.Equal("gpu 1: 1.23 ms, 10.0.0.2:14590 direct\ngpu: 1 sent, 1 answered, min/avg/max 1.00/2.00/3.00 ms\n", text);
    }

    [Fact]
    public async Task Some_unanswered_is_exit_code_1()
    {
        (int code, string text) = await ShowAsync(json: false, Answered, Lost, Summary(2, 1));

        Assert.Equal(PingVerb.SomeUnanswered, code);
        Assert.Contains("gpu 2: no answer within 5 s\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task P99_is_shown_where_it_is_known()
    {
        (_, string text) = await ShowAsync(json: false, Summary(100, 100) with { Summary = new PingSummaryView(100, 100, 1, 2, 3, 2.5, 0) });

        Assert.EndsWith("min/avg/max 1.00/2.00/3.00 ms, p99 2.50 ms\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_is_one_object_for_each_probe_and_the_summary()
    {
        (int code, string text) = await ShowAsync(json: true, Answered, Lost, Summary(2, 1));

        Assert.Equal(PingVerb.SomeUnanswered, code);
        JsonElement[] lines = [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal(["probe", "probe", "summary"], lines.Select(line => line.GetProperty("type").GetString()));
        Assert.Equal(1.234, lines[0].GetProperty("probe").GetProperty("roundTripMs").GetDouble());
        Assert.Equal(JsonValueKind.Null, lines[1].GetProperty("probe").GetProperty("roundTripMs").ValueKind);
        Assert.Equal(1, lines[2].GetProperty("summary").GetProperty("answered").GetInt32());
    }

    [Fact]
    public void A_request_with_only_a_peer_has_the_documented_defaults() =>
        Assert.Equal(new PingRequest("gpu", 4, 200, 5000), JsonSerializer.Deserialize("""{"peer":"gpu"}""", ControlJson.Default.PingRequest));

    private static PingEvent Summary(int sent, int answered) => new("summary", "gpu", "id", Summary: new PingSummaryView(sent, answered, 1, 2, 3, null, 3));

    private static async Task<(int Code, string Text)> ShowAsync(bool json, params PingEvent[] events)
    {
        using var output = new StringWriter { NewLine = "\n" };
        int code = await PingVerb.ShowAsync(events.ToAsyncEnumerable(), Terminal.Create(json, noColour: true, output));
        return (code, output.ToString());
    }
}
