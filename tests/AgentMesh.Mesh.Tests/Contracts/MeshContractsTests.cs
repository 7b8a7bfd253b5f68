using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Contracts;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Peers;
using AgentMesh.Mesh.Workflows;
using static AgentMesh.Mesh.Tests.Contracts.ContractSamples;

namespace AgentMesh.Mesh.Tests.Contracts;

public sealed class MeshContractsTests
{
    [Fact]
    public void Every_contract_reads_back_what_it_wrote()
    {
        foreach (object message in Full)
        {
            Assert.True(MeshContracts.TryFind(message, out Contract? contract), $"{message.GetType().Name} is not registered");
            object copy = MeshContracts.Read(contract.ManifestOf(message), contract.Write(message));
            if (message is PeerFactsEvent or RecordPeerFacts)
            {
                Assert.Equal(message.ToString()!.Length, copy.ToString()!.Length);
                continue;
            }

            Assert.Equal(message, copy);
        }
    }

    [Fact]
    public void Every_registered_type_has_a_sample_here()
    {
        Assert.Empty(MeshContracts.Types.Except(Full.Select(message => message.GetType())));
    }

    [Fact]
    public void Manifests_are_versioned_and_hold_no_type_name()
    {
        Assert.All(MeshContracts.Manifests, manifest => Assert.Matches("^[a-z-]+(\\.[a-z-]+)?\\.[0-9]+$", manifest));
    }

    [Fact]
    public void An_unknown_manifest_is_refused_by_name()
    {
        ContractException refused = Assert.Throws<ContractException>(() => MeshContracts.Read("job.submit.2", []));
        Assert.Contains("job.submit.2", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Damaged_or_hostile_bytes_never_give_anything_but_a_contract_exception()
    {
        var random = new Random(20260102);
        foreach (object message in Full)
        {
            Assert.True(MeshContracts.TryFind(message, out Contract? contract));
            byte[] good = contract.Write(message);
            for (int round = 0; round < 200; round++)
            {
                byte[] bad = round % 3 == 0 ? good[..random.Next(good.Length + 1)] : (byte[])good.Clone();
                for (int flips = random.Next(4); flips > 0 && bad.Length > 0; flips--)
                {
                    bad[random.Next(bad.Length)] ^= (byte)(1 << random.Next(8));
                }

                try
                {
                    MeshContracts.Read(contract.ManifestOf(message), bad);
                }
                catch (ContractException)
                {
                }
            }
        }
    }

    [Fact]
    public void The_last_manifest_tells_the_state()
    {
        Assert.Equal(JobStateName.Completed, JobManifests.StateAfter(JobManifests.Completed));
        Assert.Contains(JobManifests.Paused, JobManifests.AtRest);
        Assert.DoesNotContain(JobManifests.CancelRequested, JobManifests.AtRest);
        Assert.Null(JobManifests.StateAfter("job-event.frobnicated.1"));
    }

    [Fact]
    public void Each_registered_name_of_a_job_event_tells_the_state_that_it_leads_to()
    {
        Assert.All(MeshContracts.Manifests.Where(manifest => manifest.StartsWith("job-event.", StringComparison.Ordinal)), manifest => Assert.NotNull(JobManifests.StateAfter(manifest)));
    }

    // A node that is restarted wakes what is not at rest, and what is over may be removed: an end that is to be told is neither, until it was.
    [Theory]
    [InlineData(JobStateName.Completed, true)]
    [InlineData(JobStateName.Failed, true)]
    [InlineData(JobStateName.Cancelled, true)]
    [InlineData(JobStateName.Paused, false)]
    public void An_end_that_is_to_be_told_is_neither_at_rest_nor_over(JobStateName state, bool isOver)
    {
        (string Manifest, bool IsAtRest)[] lives = [(JobManifests.Ended(state, isDue: true), false), (JobManifests.Told(state, isDue: true), false), (JobManifests.Told(state, isDue: false), true), (JobManifests.Ended(state, isDue: false), true)];
        Assert.All(lives, life =>
        {
            Assert.Equal(state, JobManifests.StateAfter(life.Manifest));
            Assert.Equal((life.IsAtRest, life.IsAtRest && isOver), (JobManifests.AtRest.Contains(life.Manifest), JobManifests.Over.Contains(life.Manifest)));
        });
    }

    // What it does not know a version refuses by name, where a field that it does not know would be lost without a word.
    [Fact]
    public void Nothing_of_a_job_that_is_told_goes_by_a_name_of_before()
    {
        var told = new HashSet<string>(StringComparer.Ordinal);
        var before = new HashSet<string>(StringComparer.Ordinal);
        foreach (object message in Full)
        {
            bool isTold = message is SubmitJob { Spec.Notify: not null } or AcceptedEvent { Spec.Notify: not null } or JobSnapshot { Spec.Notify: not null } or ToldEvent
                or SubmitArray { Spec.Notify: not null } or ArrayAcceptedEvent { Spec.Notify: not null } or ArraySnapshot { Spec.Notify: not null } or ArrayToldEvent or ArrayEndedEvent { IsDue: true }
                or SubmitWorkflow { Spec.Notify: not null } or WorkflowAcceptedEvent { Spec.Notify: not null } or WorkflowState { Spec.Notify: not null } or WorkflowToldEvent
                or WorkflowEndedEvent { DueAs: > 0 } or StepJobsEndedEvent { DueAs: > 0 } or StepNotBegunEvent { DueAs: > 0 }
                or CompletedEvent { IsDue: true } or FailedEvent { IsDue: true } or PausedEvent { IsDue: true } or CancelledEvent { IsDue: true };
            Assert.True(MeshContracts.TryFind(message, out Contract? contract));
            (isTold ? told : before).Add(contract.ManifestOf(message));
        }

        Assert.Equal(26, told.Count);
        Assert.Empty(told.Intersect(before));
    }
}
