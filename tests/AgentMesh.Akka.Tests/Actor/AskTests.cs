using Akka.Actor;
using Akka.TestKit.TestActors;

namespace AgentMesh.EngineTests.Actor;

public sealed class AskTests : ActorTest
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(50);

    [Fact]
    public async Task The_first_answer_completes_the_question() =>
        Assert.Equal("ping", await ActorOf(SimpleEchoActor.Props()).Ask<string>("ping", Limit));

    [Fact]
    public async Task No_answer_in_time_is_an_AskTimeoutException() =>
        await Assert.ThrowsAsync<AskTimeoutException>(() => ActorOf(BlackHoleActor.Props).Ask<string>("anyone?", Short));

    [Fact]
    public async Task An_actor_that_has_ended_does_not_answer()
    {
        IActorRef gone = ActorOf(SimpleEchoActor.Props());
        Watch(gone);
        Sys.Stop(gone);
        ExpectTerminated(gone);

        await EventFilter.DeadLetter<string>().ExpectOneAsync(() => Assert.ThrowsAsync<AskTimeoutException>(() => gone.Ask<string>("anyone?", Short)));
    }

    [Fact]
    public async Task A_failure_as_answer_throws_its_cause()
    {
        IActorRef echo = ActorOf(SimpleEchoActor.Props());

        var thrown = await Assert.ThrowsAsync<Broken>(() => echo.Ask<string>(new Status.Failure(new Broken("because")), Limit));

        Assert.Equal("because", thrown.Message);
    }

    [Fact]
    public async Task An_answer_of_another_type_is_an_error() =>
        await Assert.ThrowsAsync<ArgumentException>(() => ActorOf(SimpleEchoActor.Props()).Ask<int>("text", Limit));

    [Fact]
    public async Task A_cancelled_token_cancels_the_question()
    {
        using var source = new CancellationTokenSource();
        Task<string> answer = ActorOf(BlackHoleActor.Props).Ask<string>("anyone?", source.Token);
        Assert.False(answer.IsCompleted);
        await source.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answer.WaitAsync(Limit));
    }

    [Fact]
    public async Task An_answer_that_comes_too_late_is_a_dead_letter()
    {
        Task<string> answer = TestActor.Ask<string>("anyone?", Short);
        ExpectMsg("anyone?");
        await Assert.ThrowsAsync<AskTimeoutException>(() => answer);

        await EventFilter.DeadLetter<string>(text => text == "too late").ExpectOneAsync(() => LastSender.Tell("too late"));
    }

    [Fact]
    public async Task The_reference_of_the_answer_can_be_put_into_the_question()
    {
        Task<string> answer = TestActor.Ask<string>(replyTo => new Question(replyTo), Limit, CancellationToken.None);
        ExpectMsg<Question>().ReplyTo.Tell("here");

        Assert.Equal("here", await answer);
    }

    [Fact]
    public async Task A_selection_can_be_asked()
    {
        ActorOf(SimpleEchoActor.Props(), "echo");

        Assert.Equal("ping", await Sys.ActorSelection("/user/echo").Ask<string>("ping", Limit));
    }

    [Fact]
    public void A_task_is_piped_as_its_result()
    {
        var source = new TaskCompletionSource<int>();
        _ = source.Task.PipeTo(TestActor, ActorRefs.NoSender);
        source.SetResult(42);

        ExpectMsg(42);
    }

    [Fact]
    public void A_failed_task_is_piped_as_a_failure()
    {
        _ = Task.FromException<int>(new Broken("in the task")).PipeTo(TestActor);

        Assert.Equal("in the task", ExpectMsg<Status.Failure>().Cause.Message);
    }

    [Fact]
    public void A_piped_task_can_be_given_other_messages_and_a_sender()
    {
        Akka.TestKit.TestProbe sender = CreateTestProbe();
        _ = Task.FromResult(42).PipeTo(TestActor, sender.Ref, success: number => $"got {number}");
        ExpectMsgFrom(sender.Ref, "got 42");
        _ = Task.FromException<int>(new Broken()).PipeTo(TestActor, sender.Ref, failure: cause => $"lost: {cause.Message}");
        ExpectMsgFrom(sender.Ref, "lost: broken");
    }

    [Fact]
    public void A_task_without_a_result_is_piped_when_it_fails_or_a_message_is_given()
    {
        _ = Task.CompletedTask.PipeTo(TestActor);
        _ = Task.CompletedTask.PipeTo(TestActor, success: () => "done");
        ExpectMsg("done");
        _ = Task.FromException(new Broken()).PipeTo(TestActor);
        ExpectMsg<Status.Failure>();
    }

    private sealed record Question(IActorRef ReplyTo);
}
