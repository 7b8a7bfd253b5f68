using AgentMesh.Cli.Repl;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Tests;

public sealed class CompletionTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("am-complete-").FullName;

    public CompletionTests()
    {
        Directory.CreateDirectory(Path.Combine(_root, "grids", "old"));
        foreach (string file in (string[])["grid.csv", "nightly.yaml", ".hidden", "two words", "grids/a.csv"])
        {
            File.WriteAllText(Path.Combine(_root, file), "");
        }
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData("jo", "job jobs join")]
    [InlineData("workfl", "workflow")]
    [InlineData("@g", "@gpu")]
    [InlineData("@gpu st", "status")]
    [InlineData("job sh", "show")]
    [InlineData("job show 7", "7abc")]
    [InlineData("show 7", "7abc")]
    [InlineData("watch a", "a-9x")]
    [InlineData("job show --hi", "--history")]
    [InlineData("workflow fork w", "w-1")]
    [InlineData("workflow fork w-1 --from", "--from-step")]
    [InlineData("cron show n", "nightly")]
    [InlineData("cron add n", "nightly")]
    [InlineData("group show t", "train")]
    [InlineData("run --group t", "train")]
    [InlineData("run --detach @lap", "@laptop")]
    [InlineData("run @gpu -- @l", "")]
    [InlineData("map --on @la", "@label:fast @laptop")]
    [InlineData("grant g", "gpu")]
    [InlineData("grant gpu r", "read: run run:")]
    [InlineData("grant gpu run d", "dir:")]
    [InlineData("ping l", "laptop")]
    [InlineData("devices revoke l", "laptop")]
    [InlineData("nonsense ", "")]
    public void Each_place_is_offered_what_it_asks_for(string before, string offered) =>
        Assert.Equal(offered.Split(' ', StringSplitOptions.RemoveEmptyEntries), new Completion(new Known(), _ => throw new InvalidOperationException("no file is asked for")).Complete(before));

    [Theory]
    [InlineData("script {root}/n", "{root}/nightly.yaml")]
    [InlineData("workflow run {root}/n", "{root}/nightly.yaml")]
    [InlineData("map --params {root}/g", "{root}/grid.csv {root}/grids/")]
    [InlineData("map --params {root}/grids/", "{root}/grids/a.csv {root}/grids/old/")]
    [InlineData("sec join {root}/.", "{root}/.hidden")]
    [InlineData("script {root}/two", "")]
    [InlineData("script {root}/nowhere/a", "")]
    public void Where_a_file_belongs_files_are_offered(string before, string offered) => Assert.Equal(
        offered.Replace("{root}", _root, StringComparison.Ordinal).Split(' ', StringSplitOptions.RemoveEmptyEntries),
        new Completion(new Known(), FileNames.Beginning).Complete(before.Replace("{root}", _root, StringComparison.Ordinal)));

    [Fact]
    public void Every_verb_of_the_prompt_is_explained_by_its_help()
    {
        string help = string.Join(' ', ReplLines.Verbs.Select(line => line.Verb));
        Assert.All(PromptVerbs.All, verb => Assert.Contains(verb.Name == "pipe" ? "@a LINE | @b" : verb.Name, help, StringComparison.Ordinal));
    }

    private sealed class Known : IKnownNames
    {
        public IReadOnlyList<PeerView> Peers => [Peer(0, "laptop", "fast"), Peer(1, "gpu")];

        public IReadOnlyList<string> Jobs => ["7abc", "8def", "a-9x"];

        public IReadOnlyList<string> Workflows => ["w-1"];

        public IReadOnlyList<string> Schedules => ["nightly"];

        public IReadOnlyList<string> Groups => ["train"];

        private static PeerView Peer(int index, string name, params string[] labels) =>
            new(index, name, "", index == 0, "connected", null, null, null, null, null, null, null, null, true, [], [], null, labels);
    }
}
