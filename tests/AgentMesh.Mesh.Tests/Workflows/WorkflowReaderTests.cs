using AgentMesh.Errors;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Turns;
using AgentMesh.Mesh.Webhooks;
using AgentMesh.Mesh.Workflows;

namespace AgentMesh.Mesh.Tests.Workflows;

public sealed class WorkflowReaderTests
{
    private const string Whole = """
        name: nightly
        vars:
          lr: "0.1"
          where: "@gpu-box"
        max-parallel: 3
        steps:
          - name: prepare
            run: [python3, prepare.py, "{{vars.lr}}"]
            env: { MODE: fast }
          - name: train
            on: "{{vars.where}}"
            needs: [prepare]
            run: |
              echo {{steps.prepare.result}} | train
            attempts: 5
            backoff: 500ms
            backoff-max: 1m
            retry-exit-codes: true
            final-exit-codes: [2, 64]
            attempt-timeout: 10m
            queue-timeout: 1h
            total-timeout: 2h
            heartbeat-timeout: 20s
            resources: { gpu: 1, mem: 24G }
            priority: -3
            group: train
            allow-failure: true
          - name: rescue
            on: "@any:gpu"
            needs: fail:train
            command: echo {{steps.train.exit-code}} {{ workflow.name }}
        """;

    [Fact]
    public void Reads_every_key()
    {
        WorkflowSpec spec = WorkflowLab.Read(Whole, ("lr", "0.2"));
        Assert.Equal(("nightly", 3), (spec.Name, spec.Parallel));
        Assert.Equal(["lr=0.2", "where=@gpu-box"], spec.Variables.Select(pair => $"{pair.Key}={pair.Value}"));
        Assert.Equal(["prepare", "train", "rescue"], spec.Steps.Select(step => step.Name));
        StepSpec prepare = spec.Steps[0], train = spec.Steps[1], rescue = spec.Steps[2];
        Assert.Equal(["python3", "prepare.py", "{{vars.lr}}"], prepare.Job.Command.Words.ToArray());
        Assert.Equal("fast", prepare.Job.Command.Environment["MODE"]);
        Assert.Equal(["/bin/sh", "-c", "echo {{steps.prepare.result}} | train\n"], train.Job.Command.Words.ToArray());
        Assert.True(train is { IsShell: true, AllowFailure: true, Targets.Selector: "@gpu-box" });
        RetryPolicy retry = train.Job.Retry;
        Assert.Equal((5, 500.0, 60.0, true, "2,64"), (retry.Attempts, retry.BackoffMin.TotalMilliseconds, retry.BackoffMax.TotalSeconds, retry.RetryExitCodes, string.Join(',', retry.FinalExitCodes)));
        Assert.Equal(new JobTimeouts(TimeSpan.FromHours(1), TimeSpan.FromMinutes(10), TimeSpan.FromHours(2), TimeSpan.FromSeconds(20)), train.Job.Timeouts);
        Assert.Equal(JobNeeds.Parse(["gpu=1", "mem=24G"], -3, "train"), train.Job.Needs);
        Assert.Equal([new StepNeed(DependencyCondition.Ok, "prepare")], train.Needs);
        Assert.Equal([new StepNeed(DependencyCondition.Fail, "train")], rescue.Needs);
        Assert.Equal(("echo {{steps.train.exit-code}} {{ workflow.name }}", "gpu"), (rescue.Job.Command.Line, Assert.Single(rescue.Targets.OneOf)));
    }

    [Fact]
    public void Variables_that_are_too_long_together_are_refused_where_they_stand_also_with_a_directory()
    {
        string variables = string.Join(", ", Enumerable.Range(0, 9).Select(i => $"V{i}: {new string('x', 4_000)}"));
        MeshException refused = Assert.Throws<MeshException>(() => WorkflowLab.Read($"steps:\n  - {{name: a, run: [b], env: {{{variables}}}, dir: /data}}\n"));
        Assert.Equal(MeshErrors.BadProgramPlace, refused.Code);
        Assert.StartsWith("flow.yaml:2:30: 9 variables are too many or too long", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("AM0370", "the file is empty", "§")]
    [InlineData("AM0370", "this is no YAML", "steps: [\n§")]
    [InlineData("AM0370", "not keys with values", "§- a\n")]
    [InlineData("AM0370", "there are no steps", "§name: x\n")]
    [InlineData("AM0370", "not a list of steps", "steps: §{a: 1}\n")]
    [InlineData("AM0370", "not a list of steps", "steps: §[]\n")]
    [InlineData("AM0371", "'stepps' is no key of the file", "§stepps:\n  - {name: a, command: b}\n", "did you mean 'steps'?")]
    [InlineData("AM0371", "'neds' is no key of a step", "steps:\n  - {name: a, command: b, §neds: [x]}\n", "did you mean 'needs'?")]
    [InlineData("AM0370", "the step has no name", "steps:\n  -  §{command: b}\n")]
    [InlineData("AM0370", "'1a' is no name of a step", "steps:\n  - {name: §1a, command: b}\n")]
    [InlineData("AM0370", "the step 'a' is there twice", "steps:\n  - {name: a, command: b}\n  - {name: §a, command: b}\n")]
    [InlineData("AM0370", "neither 'run' nor 'command'", "steps:\n  - §{name: a}\n")]
    [InlineData("AM0370", "both 'run' and 'command'", "steps:\n  - §{name: a, run: b, command: c}\n")]
    [InlineData("AM0370", "run names no program", "steps:\n  - {name: a, run: §[]}\n")]
    [InlineData("AM0370", "a command names no device", "steps:\n  - {name: a, command: §'@gpu calc 1'}\n")]
    [InlineData("AM0370", "anchors (&) and aliases (*)", "a: §&x [1]\nsteps: *x\n")]
    [InlineData("AM0370", "tags (!)", "steps: §!!python/object [1]\n")]
    [InlineData("AM0370", "the key 'name' is there twice", "name: a\n§name: b\n")]
    [InlineData("AM0370", "a second document begins", "name: a\nsteps: []\n§---\nname: b\n")]
    [InlineData("AM0370", "not a whole number from 1 to 200", "max-parallel: §lots\nsteps: [{name: a, command: b}]\n")]
    [InlineData("AM0370", "not true or false", "steps:\n  - {name: a, run: b, allow-failure:  §maybe}\n")]
    [InlineData("AM0380", "not a duration", "steps:\n  - {name: a, command: b, attempt-timeout:  §soon}\n", "500ms, 10s, 5m")]
    [InlineData("AM0380", "not a duration", "steps:\n  - {name: a, command: b, backoff: §10}\n")]
    [InlineData("AM0380", "not a duration", "steps:\n  - {name: a, command: b, backoff: §0s}\n")]
    [InlineData("AM0373", "needs 'prepar', and there is no such step", "steps:\n  - {name: b, command: c, needs: [§prepar]}\n  - {name: prepare, command: c}\n", "did you mean 'prepare'?")]
    [InlineData("AM0374", "'okay:' is no condition", "steps:\n  - {name: b, command: c, needs: §okay:a}\n")]
    [InlineData("AM0374", "but then the workflow is paused", "steps:\n  - {name: a, command: c}\n  - {name: b, command: c, needs: [§fail:a]}\n", "allow-failure: true")]
    [InlineData("AM0372", "a -> c -> b -> a", "steps:\n  - {name: a, command: x, needs: §[c]}\n  - {name: b, command: x, needs: [a]}\n  - {name: c, command: x, needs: [b]}\n")]
    [InlineData("AM0372", "a -> a", "steps:\n  - {name: a, command: x, needs: §[a]}\n")]
    [InlineData("AM0375", "there is no 'lrr'", "vars: {lr: 1}\nsteps:\n  - {name: a, command: §'x {{vars.lrr}}'}\n", "did you mean 'lr'?")]
    [InlineData("AM0375", "there is no 'var'", "steps:\n  - {name: a, command: §'x {{var.lr}}'}\n", "did you mean 'vars'?")]
    [InlineData("AM0375", "need not be over", "steps:\n  - {name: a, command: x}\n  - {name: b, command: §'x {{steps.a.result}}'}\n", "add needs: [a]")]
    [InlineData("AM0375", "there is no 'resul'", "steps:\n  - {name: a, command: x}\n  - {name: b, command: §'x {{steps.a.resul}}', needs: a}\n", "did you mean 'result'?")]
    [InlineData("AM0375", "for a selector", "steps:\n  - {name: a, on: §'{{vars.where}}', command: x}\n")]
    [InlineData("AM0351", "no device has the label", "steps:\n  - {name: a, on: §'@label:gpx', command: x}\n")]
    [InlineData("AM0370", "is no name of a variable of an environment", "steps:\n  - {name: a, run: [b], env: { §A=B: 1}}\n")]
    [InlineData("AM0370", "is no name of a variable of an environment", "steps:\n  - {name: a, run: [b], env: {§AGENTMESH_JOB: 1}}\n")]
    [InlineData("AM0369", "for programs only", "steps:\n  - {name: a, command: b, dir: §/data}\n")]
    [InlineData("AM0369", "a directory of its own", "steps:\n  - {name: a, run: [b], dir: §/data, artifacts: {m: out/m}}\n")]
    [InlineData("AM0370", "the value of 'dir' is", "steps:\n  - {name: a, run: [b], dir: §[x]}\n")]
    [InlineData("AM0370", "env is for programs only", "steps:\n  - {name: a, command: b, env: §{A: 1}}\n")]
    [InlineData("AM0390", "gpu", "steps:\n  - {name: a, run: [b], resources: §{gpu: lots}}\n")]
    [InlineData("AM0391", "99 is no priority", "steps:\n  - {name: a, run: [b], priority: §99}\n")]
    [InlineData("AM0370", "not a whole number", "steps:\n  - {name: a, run: [b], priority: §high}\n")]
    [InlineData("AM0446", "is no path of an artifact", "steps:\n  - {name: a, run: [b], artifacts: {§x: ../y}}\n")]
    [InlineData("AM0446", "is no name of a file", "steps:\n  - {name: a, run: [b], artifacts: §{.x: y}}\n")]
    [InlineData("AM0370", "artifacts are for programs only", "steps:\n  - {name: a, command: b, artifacts: §{x: y}}\n")]
    [InlineData("AM0446", "names no artifact", "steps:\n  - {name: a, run: [b], inputs: {x: §y}}\n")]
    [InlineData("AM0446", "there is no store", "steps:\n  - {name: a, run: [b], inputs: {x: §'sha256:00'}}\n")]
    [InlineData("AM0373", "takes a file from 'mak', and there is no such step", "steps:\n  - {name: a, run: [b], inputs: §{x: mak/y}}\n  - {name: make, run: [b], artifacts: {y: y}}\n", "did you mean 'make'?")]
    [InlineData("AM0375", "has no artifact 'dat'", "steps:\n  - {name: a, run: [b], needs: make, inputs: §{x: make/dat}}\n  - {name: make, run: [b], artifacts: {data: y}}\n", "did you mean 'data'?")]
    [InlineData("AM0375", "need not be over", "steps:\n  - {name: a, run: [b], inputs: §{x: make/y}}\n  - {name: make, run: [b], artifacts: {y: y}}\n", "add needs: [make]")]
    [InlineData("AM0370", "'a b' is no name of a variable", "vars: {§a b: 1}\nsteps: [{name: a, command: b}]\n")]
    public void Refuses_what_is_wrong_with_its_place(string code, string says, string marked, string next = "")
    {
        string[] before = marked[..marked.IndexOf('§', StringComparison.Ordinal)].Split('\n');
        string place = $"flow.yaml:{before.Length}:{before[^1].Length + 1}";
        var refused = Assert.Throws<MeshException>(() => WorkflowLab.Read(marked.Replace("§", "", StringComparison.Ordinal)));
        Assert.True(refused.Code == code && refused.Message.Contains(says, StringComparison.Ordinal), $"{refused.Code} {refused.Message}");
        Assert.StartsWith(place + ":", refused.Message, StringComparison.Ordinal);
        Assert.Contains(next, refused.NextStep, StringComparison.Ordinal);
        Assert.NotEmpty(refused.NextStep!);
    }

    [Fact]
    public void Refuses_what_is_too_large_or_too_deep()
    {
        Assert.Equal(MeshErrors.WorkflowTooLarge, Assert.Throws<MeshException>(() => WorkflowLab.Read("name: " + new string('x', 600_000))).Code);
        Assert.Equal(MeshErrors.WorkflowTooLarge, Assert.Throws<MeshException>(() => WorkflowLab.Read("a: " + new string('[', 100_000))).Code);
        string steps = "steps:\n" + string.Concat(Enumerable.Range(0, 201).Select(i => $"  - {{name: s{i}, command: x}}\n"));
        Assert.Equal(MeshErrors.WorkflowTooLarge, Assert.Throws<MeshException>(() => WorkflowLab.Read(steps)).Code);
        Assert.Equal(MeshErrors.WorkflowTooLarge, Assert.Throws<MeshException>(() => WorkflowLab.Read("vars: {a: 1}\nsteps: [{name: a, command: b}]", ("a", new string('x', 5000)))).Code);
    }

    [Fact]
    public void Refuses_a_variable_that_the_file_does_not_name()
    {
        var refused = Assert.Throws<MeshException>(() => WorkflowLab.Read(Whole, ("lrr", "1")));
        Assert.Equal(MeshErrors.UnknownVariable, refused.Code);
        Assert.Contains("did you mean 'lr'?", refused.NextStep, StringComparison.Ordinal);
    }

    [Fact]
    public void Reads_who_is_told()
    {
        Assert.Null(WorkflowLab.Read(Whole).Notify);
        Assert.Equal(new Notify("https://example.org/hook", NotifyOn.Any), WorkflowLab.Read("notify: https://example.org/hook\n" + Whole).Notify);
        Assert.Equal(new Notify("https://example.org/hook", NotifyOn.Failure), WorkflowLab.Read("notify: https://example.org/hook\nnotify-on: failure\n" + Whole).Notify);
    }

    [Theory]
    [InlineData("notify: ftp://example.org/", "AM0632", "flow.yaml:1:9")]
    [InlineData("notify: [a]", "AM0370", "flow.yaml:1:9")]
    [InlineData("notify-on: failure", "AM0370", "flow.yaml:1:12")]
    [InlineData("notify: https://example.org/\nnotify-on: never", "AM0370", "flow.yaml:2:12")]
    public void Refuses_who_cannot_be_told(string head, string code, string place)
    {
        var refused = Assert.Throws<MeshException>(() => WorkflowLab.Read(head + "\n" + Whole));
        Assert.Equal(code, refused.Code);
        Assert.StartsWith(place, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_cut_of_a_file_is_read_or_refused()
    {
        for (int length = 0; length < Whole.Length; length++)
        {
            try
            {
                WorkflowLab.Read(Whole[..length]);
            }
            catch (MeshException refused)
            {
                Assert.StartsWith("flow.yaml:", refused.Message, StringComparison.Ordinal);
            }
        }
    }
}
