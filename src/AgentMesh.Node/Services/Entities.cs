using AgentMesh.Errors;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Sharding;
using AgentMesh.Mesh.Workflows;
using AgentMesh.Node.Hosting;
using Akka.Actor;

namespace AgentMesh.Node.Services;

/// <summary>Questions to the entities of this device, asked again when the actor system is replaced meanwhile.</summary>
internal sealed class Entities(GenerationKeeper generations, Func<Generation, MeshSharding?> shardingOf, TimeProvider time)
{
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromSeconds(20);

    /// <summary>Repeats a question whose answer is the same however often it is asked, until there is one.</summary>
    /// <exception cref="MeshException">What the entity said is wrong, or AM0320: no answer.</exception>
    public Task<T> AskAsync<T>(IJobMessage question, CancellationToken cancellationToken, TimeSpan? answerWithin = null)
        where T : class => AskAsync<T>(static sharding => sharding.Jobs, question, answerWithin ?? AnswerWithin, cancellationToken);

    /// <inheritdoc cref="AskAsync{T}(IJobMessage, CancellationToken, TimeSpan?)"/>
    public Task<T> AskAsync<T>(ICronMessage question, CancellationToken cancellationToken)
        where T : class => AskAsync<T>(static sharding => sharding.Crons, question, AnswerWithin, cancellationToken);

    /// <inheritdoc cref="AskAsync{T}(IJobMessage, CancellationToken, TimeSpan?)"/>
    public Task<T> AskAsync<T>(IArrayMessage question, CancellationToken cancellationToken)
        where T : class => AskAsync<T>(static sharding => sharding.Arrays, question, AnswerWithin, cancellationToken);

    /// <inheritdoc cref="AskAsync{T}(IJobMessage, CancellationToken, TimeSpan?)"/>
    public Task<T> AskAsync<T>(IWorkflowMessage question, CancellationToken cancellationToken)
        where T : class => AskAsync<T>(static sharding => sharding.Workflows, question, AnswerWithin, cancellationToken);

    private async Task<T> AskAsync<T>(Func<MeshSharding, IActorRef> regionOf, object question, TimeSpan answerWithin, CancellationToken cancellationToken)
        where T : class
    {
        long start = time.GetTimestamp();
        while (true)
        {
            Generation generation = await generations.CurrentAsync(GiveUpAfter, cancellationToken).ConfigureAwait(false);
            if (shardingOf(generation) is { } sharding)
            {
                try
                {
                    Task<object> asking = regionOf(sharding).Ask<object>(question, answerWithin, cancellationToken);
                    if (await Task.WhenAny(asking, generation.System.WhenTerminated).ConfigureAwait(false) != asking)
                    {
                        // It went with the actor system: nobody will answer.
                        Forget(asking);
                        continue;
                    }

                    object answer = await asking.ConfigureAwait(false);
                    return answer switch
                    {
                        T wanted => wanted,
                        ArrayProblem { Problem: var problem } => throw new MeshException(problem.Code, problem.Text, problem.NextStep ?? ""),
                        WorkflowProblem { Problem: var problem } => throw new MeshException(problem.Code, problem.Text, problem.NextStep ?? ""),
                        CronProblem { Problem: var problem } => throw new MeshException(problem.Code, problem.Text, problem.NextStep ?? ""),
                        JobProblem problem => throw new MeshException(problem.Problem.Code, problem.Problem.Text, problem.Problem.NextStep ?? ""),
                        _ => throw new InvariantException($"{answer.GetType().Name} is no answer to {question.GetType().Name}"),
                    };
                }
                catch (AskTimeoutException) when (time.GetElapsedTime(start) < GiveUpAfter + answerWithin)
                {
                    // The entity is busy, or was moved: the question is repeated.
                }
                catch (AskTimeoutException)
                {
                    throw new MeshException(MeshErrors.NoAnswer, "the journal of this device did not answer", "see the node's log; a full or slow disk is the usual reason");
                }
            }
            else
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static void Forget(Task asking) =>
        _ = asking.ContinueWith(static lost => _ = lost.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
}
