"""What only a whole test run can show. Without one that has just passed these tests are skipped, and say so."""
