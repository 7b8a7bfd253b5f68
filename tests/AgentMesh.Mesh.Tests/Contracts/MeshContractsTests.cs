using AgentMesh.Mesh.Contracts;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Peers;
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
}
