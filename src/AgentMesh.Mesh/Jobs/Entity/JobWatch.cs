using Akka.Actor;

namespace AgentMesh.Mesh.Jobs.Entity;

/// <param name="Submission">Makes the message with which the job begins.</param>
/// <param name="Cancel">Set when it shall end; told once with each question.</param>
internal readonly record struct WatchedJob(JobId JobId, Func<SubmitJob> Submission, CancelJob? Cancel);

/// <summary>
/// What an entity asks about jobs that it began: that they are there, then that they are over. Unanswered questions are asked again; a job that is there
/// already is not submitted twice, because its id follows from what began it.
/// </summary>
/// <param name="awaitFor">So long each question for the end waits for it.</param>
internal sealed class JobWatch(IActorRef jobs, TimeProvider time, TimeSpan awaitFor)
{
    /// <summary>Where no answer came, or one that does not count.</summary>
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AwaitGrace = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromSeconds(1);

    private readonly Dictionary<JobId, Question> _questions = [];
    private readonly QuestionTimes _times = new(time);

    public bool IsThere(JobId job) => _questions.TryGetValue(job, out Question? question) && question.IsThere;

    public void Forget(JobId job)
    {
        _questions.Remove(job);
        _times.Forget(job);
    }

    /// <summary>Asks what is due.</summary>
    /// <returns>How long until the next question; null while there is none to ask.</returns>
    public TimeSpan? Ask(IEnumerable<WatchedJob> watched, IActorRef asker)
    {
        TimeSpan? next = null;
        foreach (WatchedJob job in watched)
        {
            if (!_questions.TryGetValue(job.JobId, out Question? question))
            {
                _questions[job.JobId] = question = new Question();
            }

            question.Cancel = job.Cancel;
            TellWish(question, asker);

            TimeSpan left = _times.Left(job.JobId);
            if (left == TimeSpan.Zero)
            {
                question.IsCancelled = false;
                if (question.IsThere)
                {
                    Await(job.JobId, asker);
                }
                else
                {
                    _times.Wait(job.JobId, AskAgainAfter);
                    jobs.Tell(job.Submission(), asker);
                }

                left = _times.Left(job.JobId);
            }

            next = next < left ? next : left;
        }

        return next;
    }

    /// <summary>The job is on disk: its end is waited for, from now on and without a look at all the others.</summary>
    public void Found(JobId job, IActorRef asker)
    {
        if (_questions.TryGetValue(job, out Question? question) && !question.IsThere)
        {
            question.IsThere = true;
            question.IsCancelled = false;
            TellWish(question, asker);
            Await(job, asker);
        }
    }

    /// <summary>A question was answered with a problem.</summary>
    /// <param name="found">Called where it means that the job is there.</param>
    /// <returns>What stands in the log; null for what needs no word.</returns>
    public string? Take(JobProblem problem, Action<JobId> found)
    {
        switch (problem.Problem.Code)
        {
            // What began it was changed between that and this repeat: the job is there.
            case MeshErrors.KeyReused:
                found(problem.JobId);
                return null;
            case MeshErrors.UnknownJob:
                Lost(problem.JobId);
                return null;
            case MeshErrors.NotInThisState:
                // It ended before it could be cancelled; its end is on the way.
                return null;
            default:
                AskSoon(problem.JobId);
                return problem.Problem.Text;
        }
    }

    /// <summary>What came is no answer.</summary>
    public void AskSoon(JobId job) => _times.AskWithin(job, AskAgainAfter);

    /// <summary>It is not over yet.</summary>
    public void Waits(JobId job)
    {
        if (_questions.ContainsKey(job))
        {
            _times.Wait(job, LookAgainAfter);
        }
    }

    /// <summary>There is no such job after all.</summary>
    public void Lost(JobId job)
    {
        if (_questions.TryGetValue(job, out Question? question))
        {
            question.IsThere = false;
            Waits(job);
        }
    }

    private void TellWish(Question question, IActorRef asker)
    {
        if (question is { Cancel: { } cancel, IsThere: true, IsCancelled: false })
        {
            question.IsCancelled = true;
            jobs.Tell(cancel, asker);
        }
    }

    private void Await(JobId job, IActorRef asker)
    {
        _times.Wait(job, awaitFor + AwaitGrace);
        jobs.Tell(new AwaitJob(job, time.GetUtcNow() + awaitFor), asker);
    }

    private sealed class Question
    {
        public bool IsThere { get; set; }

        /// <summary>Set when it shall end.</summary>
        public CancelJob? Cancel { get; set; }

        /// <summary>The wish was told; it is told again with the next question.</summary>
        public bool IsCancelled { get; set; }
    }
}
