using System.Diagnostics;
using Soak.Planning;
using Soak.Running;

namespace Soak.Tests;

public sealed class OutputTapeTests
{
    private static readonly NumberedLines Program = new("tag", 3, 2, TimeSpan.FromMilliseconds(1));

    [Fact]
    public void A_program_prints_what_is_expected_of_it()
    {
        var start = new ProcessStartInfo(Program.Words[0], Program.Words[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd(), error = process.StandardError.ReadToEnd();

        Assert.Equal(System.Text.Encoding.ASCII.GetString(Program.Stdout), output);
        Assert.Equal(System.Text.Encoding.ASCII.GetString(Program.Stderr), error);
    }

    [Fact]
    public void Contiguous_pieces_up_to_the_end_are_the_whole()
    {
        var tape = new OutputTape(Program, 5);
        tape.Add(1, "stdout", 5, Program.Stdout.AsSpan(5, 10));
        Assert.False(tape.IsWhole(1, "stdout"));
        tape.Add(1, "stdout", 15, Program.Stdout.AsSpan(15));

        Assert.Null(tape.Wrong);
        Assert.True(tape.IsWhole(1, "stdout"));
    }

    [Theory]
    [InlineData(0, 10, 11, 5)]
    [InlineData(0, 10, 9, 5)]
    [InlineData(0, 10, 0, 5)]
    public void A_gap_and_a_repeat_are_seen(int first, int firstLength, int second, int secondLength)
    {
        var tape = new OutputTape(Program, 0);
        tape.Add(1, "stdout", first, Program.Stdout.AsSpan(first, firstLength));
        tape.Add(1, "stdout", second, Program.Stdout.AsSpan(second, secondLength));

        Assert.NotNull(tape.Wrong);
    }

    [Fact]
    public void Foreign_bytes_are_seen()
    {
        var tape = new OutputTape(Program, 0);
        tape.Add(1, "stdout", 0, Program.Stderr.AsSpan(0, 8));

        Assert.NotNull(tape.Wrong);
    }

    [Fact]
    public void A_piece_behind_the_end_is_seen()
    {
        var tape = new OutputTape(Program, Program.Stdout.Length);
        tape.Add(1, "stdout", Program.Stdout.Length, "x"u8);

        Assert.NotNull(tape.Wrong);
    }

    [Fact]
    public void A_newer_attempt_begins_anew_and_an_older_one_does_not_come_back()
    {
        var tape = new OutputTape(Program, 0);
        tape.Add(1, "stdout", 0, Program.Stdout.AsSpan(0, 4));
        tape.Add(2, "stdout", 0, Program.Stdout.AsSpan(0, 4));
        Assert.Null(tape.Wrong);

        tape.Add(1, "stdout", 4, Program.Stdout.AsSpan(4, 4));
        Assert.NotNull(tape.Wrong);
    }

    [Fact]
    public void The_offset_counts_for_the_attempt_that_is_read_first()
    {
        var tape = new OutputTape(Program, 4);
        tape.Add(1, "stdout", 4, Program.Stdout.AsSpan(4, 4));
        tape.Add(2, "stdout", 0, Program.Stdout);

        Assert.Null(tape.Wrong);
        Assert.True(tape.IsWhole(2, "stdout"));
    }

    [Fact]
    public void An_attempt_that_was_lost_before_the_offset_is_followed_by_the_next_from_its_beginning()
    {
        var tape = new OutputTape(Program, 4);
        tape.Add(2, "stdout", 0, Program.Stdout);

        Assert.Null(tape.Wrong);
    }
}
