using System.Globalization;
using AgentMesh.Protocol.Pairing;
using AgentMesh.Protocol.Pairing.Codes;
using AgentMesh.Protocol.Tests.Pairing.Codes;

namespace Simulation.Reach;

/// <content>Somebody who heard the first word of a code guesses the rest, from many addresses, with the same exchange again and again.</content>
internal sealed partial class AttackWorld
{
    private const int Guesses = 50;

    private void Codes()
    {
        var world = new CodeWorld();
        PairingCode code = world.Invite(out InvitationId invitation);
        TimeSpan start = world.Now.Monotonic;
        var given = new HashSet<string> { code.ToString() };
        int burnt = 0, taken = 0;
        for (int guess = 0; guess < Guesses; guess++)
        {
            PairingCode now = world.Inviter.TallyOf(invitation, world.Now)?.Code ?? default;
            PairingCode aimed = now.IsNone ? code : now;
            given.Add(aimed.ToString());
            int before = world.Sent.Count;
            CodeResult result = world.Join(Guess(aimed), $"192.0.2.{20 + Random.Next(200)}:{1_024 + Random.Next(60_000)}");
            taken += result.Invitation is null ? 0 : 1;
            burnt += result.Failure == CodeFailure.Wrong ? 1 : 0;

            // What he sent and heard, once more, in any order and from elsewhere.
            foreach ((byte[] bytes, bool byJoiner) in world.Sent.Skip(before).ToArray().Where(_ => Chance(0.5)))
            {
                world.Tell(Chance(0.5) ? bytes : Damaged(bytes), out CodeOutcome outcome, $"192.0.2.{20 + Random.Next(200)}:4000");
                Require(outcome is not CodeOutcome.Proven, "a repeated message proved a code");
                Require(outcome is not CodeOutcome.Burnt || byJoiner, "what the inviter said burnt its code");
            }

            world.Pass(Between(TimeSpan.Zero, Seconds(2)));
        }

        Require(taken == 0, $"{taken} of {Guesses} guesses were taken");
        Require(burnt <= 1 + CodeInviter.RenewalsMax, $"{burnt} codes were burnt: more than one guess for each of {1 + CodeInviter.RenewalsMax}");
        Require(world.Inviter.TallyOf(invitation, world.Now)!.WrongGuesses <= 1 + CodeInviter.RenewalsMax, "a code was guessed at twice");
        Require(world.Inviter.Remembered <= CodeInviter.RememberedMax, $"{world.Inviter.Remembered} codes are remembered");
        double seconds = (world.Now.Monotonic - start).TotalSeconds;
        Require(world.Inviter.ExchangesBegun <= 10 + (2 * seconds) + 1, $"{world.Inviter.ExchangesBegun} exchanges in {seconds:0} s");
        Measure("exchanges begun by fifty guesses", world.Inviter.ExchangesBegun);
        Require(world.Join(code).Invitation is null || burnt == 0, "a code that was burnt was taken");
        Steps += Guesses;
    }

    /// <summary>The same first word; the rest by chance, which is right once in ten million.</summary>
    private PairingCode Guess(PairingCode code)
    {
        string[] parts = code.ToString().ToLowerInvariant().Split('-');
        PairingCode guess;
        do
        {
            string text = $"{parts[0]}-{CodeWords.At(Random.Next(CodeWords.Count))}-{Random.Next(10_000).ToString("d4", CultureInfo.InvariantCulture)}";
            Require(PairingCode.TryParse(text, out guess, out _), text);
        }
        while (guess == code);
        return guess;
    }
}
