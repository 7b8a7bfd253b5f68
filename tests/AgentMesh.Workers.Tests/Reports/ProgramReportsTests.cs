using System.Collections.Immutable;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Workers.Reports;

namespace AgentMesh.Workers.Tests.Reports;

public sealed class ProgramReportsTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("am-reports-").FullName;
    private readonly Dictionary<string, string> _environment = [];
    private readonly ProgramReports _reports;

    public ProgramReportsTests() => _reports = new ProgramReports(_directory);

    private string CheckpointPath => _environment[ProgramReports.CheckpointVariable];

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_program_finds_the_checkpoint_of_the_attempt_before()
    {
        _reports.Prepare(Of(1, 2, 3), _environment);
        Assert.Equal([1, 2, 3], File.ReadAllBytes(CheckpointPath));
        Look();
        Assert.Null(_reports.Unkept);
    }

    [Fact]
    public void Without_one_there_is_no_file()
    {
        _reports.Prepare(null, _environment);
        Assert.False(File.Exists(CheckpointPath));
        Look();
        Assert.Null(_reports.Unkept);
        Assert.Null(_reports.Progress);
    }

    [Fact]
    public void A_checkpoint_is_offered_until_it_is_kept_and_the_next_one_has_another_number()
    {
        _reports.Prepare(null, _environment);
        Leave(1);
        Look();
        Assert.Equal((1, Of(1)), _reports.Unkept);
        _reports.Kept(1);
        Assert.Null(_reports.Unkept);

        Leave(2);
        Look();
        _reports.Kept(1);
        Assert.Equal((2, Of(2)), _reports.Unkept);
    }

    [Fact]
    public void A_file_that_is_being_written_is_left_until_it_rests_or_the_program_has_ended()
    {
        _reports.Prepare(null, _environment);
        File.WriteAllBytes(CheckpointPath, [1]);
        _reports.Look();
        Assert.Null(_reports.Unkept);
        File.WriteAllBytes(CheckpointPath, [1, 2]);
        _reports.Look();
        Assert.Null(_reports.Unkept);
        _reports.Look(hasEnded: true);
        Assert.Equal((1, Of(1, 2)), _reports.Unkept);
    }

    [Fact]
    public void A_file_that_takes_the_place_of_another_is_whole_however_often_that_happens()
    {
        _reports.Prepare(null, _environment);
        for (byte i = 1; i <= 3; i++)
        {
            Leave(i);
            _reports.Look();
        }

        Assert.Equal((2, Of(3)), _reports.Unkept);
    }

    [Fact]
    public void A_checkpoint_that_is_too_large_is_not_kept_and_says_so()
    {
        _reports.Prepare(null, _environment);
        File.WriteAllBytes(CheckpointPath, new byte[Checkpoint.BytesMax + 1]);
        Look();
        Assert.Null(_reports.Unkept);
        Assert.Contains("65537 bytes", _reports.Progress!.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_link_to_another_file_is_no_checkpoint()
    {
        _reports.Prepare(null, _environment);
        string secret = Path.Combine(_directory, "secret");
        File.WriteAllText(secret, "a secret of somebody");
        File.CreateSymbolicLink(CheckpointPath, secret);
        Look();
        Assert.Null(_reports.Unkept);
    }

    [Fact]
    public void Progress_is_the_last_line_of_its_file_or_of_the_output_whichever_is_newer()
    {
        _reports.Prepare(null, _environment);
        File.WriteAllText(_environment[ProgramReports.ProgressVariable], "10% a\n20% b\n\n");
        _reports.Look();
        Assert.Equal(new Progress(0.2, "b"), _reports.Progress);
        _reports.Take(Spool.SpoolStream.Stderr, 0, "::progress 3/4 c\n"u8);
        _reports.Look();
        Assert.Equal(new Progress(0.75, "c"), _reports.Progress);
    }

    private static Checkpoint Of(params byte[] data) => new([.. data]);

    private void Leave(params byte[] data)
    {
        File.WriteAllBytes(CheckpointPath + ".new", data);
        File.Move(CheckpointPath + ".new", CheckpointPath, overwrite: true);
    }

    private void Look()
    {
        _reports.Look();
        _reports.Look();
    }
}
