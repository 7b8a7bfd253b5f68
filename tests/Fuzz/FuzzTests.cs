using AgentMesh.Fuzz.Engine;
using AgentMesh.Fuzz.Running;
using AgentMesh.Fuzz.Targets;

namespace AgentMesh.Fuzz;

public class FuzzTests
{
    // New inputs for each target in every run of the tests, the same ones each time: ./agentmesh fuzz looks further.
    private const int InputsMax = 2_000;
    private const int Seed = 20_260_101;

    private static readonly TimeSpan TimeMax = TimeSpan.FromMilliseconds(120);

    public static TheoryData<string> Names => [.. AllTargets.All.Select(target => target.Name)];

    private static string CorpusRoot => Path.Combine(AppContext.BaseDirectory, "corpus");

    [Theory]
    [MemberData(nameof(Names))]
    public void Parser_bears_its_corpus_and_new_inputs(string name)
    {
        // How fast a parser is says the command, on a machine that does nothing else; here only what never ends fails.
        FuzzTarget target = AllTargets.Find(name);
        target = target with { TimeMax = target.TimeMax * 20 };
        var fuzzer = new Fuzzer(target, Seed);
        foreach (byte[] seed in target.Seeds())
        {
            Check(fuzzer.Add(seed), "one of its seeds");
        }

        foreach ((string file, byte[] bytes) in Corpus.Of(CorpusRoot, name))
        {
            Check(fuzzer.Add(bytes), Path.GetFileName(file));
        }

        long until = Environment.TickCount64 + (long)TimeMax.TotalMilliseconds;
        for (int i = 0; i < InputsMax && Environment.TickCount64 < until; i++)
        {
            Check(fuzzer.Step(), $"input {i} of seed {Seed}");
        }
    }

    [Fact]
    public void Every_folder_of_the_corpus_belongs_to_a_target() =>
        Assert.Empty(Directory.EnumerateDirectories(CorpusRoot).Select(Path.GetFileName).Except(AllTargets.All.Select(target => target.Name)));

    [Fact]
    public void Targets_have_names_of_their_own() => Assert.Equal(AllTargets.All.Count, AllTargets.All.Select(target => target.Name).Distinct().Count());

    private static void Check(Finding? finding, string which) =>
        Assert.True(finding is null, finding is null ? "" : $"{which}: {finding.Kind}: {finding.What}\ninput: {Convert.ToHexStringLower(finding.Input)}");
}
